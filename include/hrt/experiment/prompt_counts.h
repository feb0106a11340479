#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "hrt/experiment/prompt_set.h"

namespace hrt {

// Prompts by label and outcome.
class PromptCounts {
 public:
  PromptCounts() = default;
  PromptCounts(const PromptSet& set, const std::vector<Outcome>& outcomes);

  std::int64_t of(Label label, Outcome outcome) const { return by_[index(label)][index(outcome)]; }
  std::int64_t of(Label label) const;
  std::int64_t of(Outcome outcome) const;
  std::int64_t all() const;
  bool any_label() const { return of(Label::kNone) < all(); }
  bool any_outcome() const { return of(Outcome::kUnknown) < all(); }

  // {"prompts", "labels": {"harmful", "harmless", "none"}, "quadrants": {"refused_harmful", ...}}: labels and
  // quadrants only where some prompt has one, in zeros where others have.
  Json to_json() const;

 private:
  template <typename Enum>
  static std::size_t index(Enum value) {
    return static_cast<std::size_t>(value);
  }

  std::array<std::array<std::int64_t, 3>, 3> by_ = {};
};

}  // namespace hrt
