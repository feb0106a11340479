#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "hrt/analysis/auroc.h"
#include "hrt/analysis/linear_classifier.h"
#include "hrt/analysis/proportion.h"

namespace hrt {

// A fold, 0..folds-1, for each item; items of one group share theirs, so that no classifier is tested on a
// paraphrase of what it has seen. groups[i] names the group of item i (all different: single items). Groups
// are put in a seeded order, then the largest first into the fold that has the fewest items. With fewer
// groups than folds some folds are empty.
std::vector<std::int64_t> group_folds(std::span<const std::int64_t> groups, std::int64_t folds,
                                      std::uint64_t seed);

using FitClassifier = std::function<std::optional<LinearClassifier>(const at::Tensor& features,
                                                                    const std::vector<bool>& positive)>;

// Each item's score by the classifier that was fitted to all other folds; nothing where those lack a class.
std::vector<std::optional<double>> held_out_scores(const at::Tensor& features,
                                                   const std::vector<bool>& positive,
                                                   std::span<const std::int64_t> folds,
                                                   const FitClassifier& fit);

struct HeldOutResult {
  Proportion accuracy;         // of the items that have a score; above 0 is positive
  std::optional<Auroc> auroc;  // over all folds together
  std::int64_t without_score = 0;
};

HeldOutResult held_out_result(std::span<const std::optional<double>> scores,
                              const std::vector<bool>& positive);

}  // namespace hrt
