#include "hrt/analysis/cross_validation.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <map>

#include "hrt/base/random.h"

namespace hrt {
namespace {

using Items = std::vector<std::int64_t>;

std::vector<Items> shuffled_groups(std::span<const std::int64_t> groups, std::uint64_t seed) {
  std::map<std::int64_t, Items> members;
  for (std::size_t i = 0; i < groups.size(); ++i) members[groups[i]].push_back(static_cast<std::int64_t>(i));
  std::vector<Items> order;
  for (auto& [group, items] : members) order.push_back(std::move(items));
  Random random(seed);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

at::Tensor select(const at::Tensor& features, const Items& items) {
  return features.index_select(0, at::tensor(at::ArrayRef<std::int64_t>(items), at::kLong));
}

}  // namespace

std::vector<std::int64_t> group_folds(std::span<const std::int64_t> groups, std::int64_t folds,
                                      std::uint64_t seed) {
  std::vector<Items> order = shuffled_groups(groups, seed);
  std::stable_sort(order.begin(), order.end(),
                   [](const Items& a, const Items& b) { return a.size() > b.size(); });
  std::vector<std::size_t> sizes(static_cast<std::size_t>(folds));
  std::vector<std::int64_t> result(groups.size());
  for (const Items& items : order) {
    const auto smallest = std::min_element(sizes.begin(), sizes.end());
    for (const std::int64_t i : items) result[static_cast<std::size_t>(i)] = smallest - sizes.begin();
    *smallest += items.size();
  }
  return result;
}

std::vector<std::optional<double>> held_out_scores(const at::Tensor& features,
                                                   const std::vector<bool>& positive,
                                                   std::span<const std::int64_t> folds,
                                                   const FitClassifier& fit) {
  std::vector<std::optional<double>> scores(positive.size());
  const std::int64_t count = folds.empty() ? 0 : *std::max_element(folds.begin(), folds.end()) + 1;
  for (std::int64_t fold = 0; fold < count; ++fold) {
    Items seen;
    Items held_out;
    std::vector<bool> seen_positive;
    for (std::size_t i = 0; i < folds.size(); ++i) {
      const bool held = folds[i] == fold;
      (held ? held_out : seen).push_back(static_cast<std::int64_t>(i));
      if (!held) seen_positive.push_back(positive[i]);
    }
    if (held_out.empty()) continue;
    const auto classifier = fit(select(features, seen), seen_positive);
    if (!classifier) continue;
    const std::vector<double> values = classifier->scores(select(features, held_out));
    for (std::size_t i = 0; i < values.size(); ++i) scores[static_cast<std::size_t>(held_out[i])] = values[i];
  }
  return scores;
}

HeldOutResult held_out_result(std::span<const std::optional<double>> scores,
                              const std::vector<bool>& positive) {
  HeldOutResult result;
  std::vector<double> of_positives;
  std::vector<double> of_negatives;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!scores[i]) {
      ++result.without_score;
      continue;
    }
    result.accuracy.add((*scores[i] > 0) == positive[i]);
    (positive[i] ? of_positives : of_negatives).push_back(*scores[i]);
  }
  result.auroc = auroc(of_positives, of_negatives);
  return result;
}

}  // namespace hrt
