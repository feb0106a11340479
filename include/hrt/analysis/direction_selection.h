#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace hrt {

// Choosing a refusal direction among (position, layer) candidates (Arditi et al., arXiv 2406.11717, appendix
// C).

struct DirectionCandidate {
  std::int64_t position = 0;  // negative, from the prompt's end
  std::int64_t layer = 0;     // whose block input it is
  double refusal_score = 0;   // of harmful prompts, with the direction ablated everywhere: lower is better
  double induced_score = 0;   // refusal score of harmless prompts, with the direction added at its layer
  double kl = 0;              // of harmless prompts, with the direction ablated everywhere

  bool operator==(const DirectionCandidate&) const = default;
};

struct SelectionRules {
  double layer_share = 0.8;  // of the L layers only those below int(0.8 L)
  double max_kl = 0.1;
  double min_induced_score = 0;
};

// How many candidates each rule removed; a candidate counts where it failed first, in this order.
struct RemovedCandidates {
  std::int64_t not_a_number = 0;
  std::int64_t late_layer = 0;
  std::int64_t kl = 0;
  std::int64_t induced_score = 0;
};

struct DirectionSelection {
  std::vector<DirectionCandidate> surviving;  // lowest refusal score first; equal ones in the order given
  RemovedCandidates removed;

  // The first survivor; nothing where none is left.
  std::optional<DirectionCandidate> chosen() const;
};

DirectionSelection select_direction(const std::vector<DirectionCandidate>& candidates, std::int64_t layers,
                                    const SelectionRules& rules = {});

}  // namespace hrt
