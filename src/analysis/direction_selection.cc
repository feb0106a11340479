#include "hrt/analysis/direction_selection.h"

#include <algorithm>
#include <cmath>

namespace hrt {
namespace {

// The counter of the first rule that a candidate breaks; null where it keeps all.
std::int64_t* broken_rule(const DirectionCandidate& candidate, double layers, const SelectionRules& rules,
                          RemovedCandidates& removed) {
  if (std::isnan(candidate.refusal_score) || std::isnan(candidate.induced_score) ||
      std::isnan(candidate.kl)) {
    return &removed.not_a_number;
  }
  if (candidate.layer >= static_cast<std::int64_t>(rules.layer_share * layers)) return &removed.late_layer;
  if (candidate.kl > rules.max_kl) return &removed.kl;
  if (candidate.induced_score < rules.min_induced_score) return &removed.induced_score;
  return nullptr;
}

}  // namespace

std::optional<DirectionCandidate> DirectionSelection::chosen() const {
  if (surviving.empty()) return std::nullopt;
  return surviving.front();
}

DirectionSelection select_direction(const std::vector<DirectionCandidate>& candidates, std::int64_t layers,
                                    const SelectionRules& rules) {
  DirectionSelection selection;
  for (const DirectionCandidate& candidate : candidates) {
    std::int64_t* rule = broken_rule(candidate, static_cast<double>(layers), rules, selection.removed);
    if (rule != nullptr) {
      ++*rule;
    } else {
      selection.surviving.push_back(candidate);
    }
  }
  std::stable_sort(selection.surviving.begin(), selection.surviving.end(),
                   [](const auto& a, const auto& b) { return a.refusal_score < b.refusal_score; });
  return selection;
}

}  // namespace hrt
