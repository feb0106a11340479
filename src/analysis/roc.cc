#include "hrt/analysis/roc.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "hrt/base/error.h"

namespace hrt {
namespace {

std::vector<double> descending(std::span<const double> scores) {
  if (std::any_of(scores.begin(), scores.end(), [](double score) { return std::isnan(score); })) {
    throw RunError("a score is not a number, so that no threshold can be set");
  }
  std::vector<double> sorted(scores.begin(), scores.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  return sorted;
}

Proportion above(std::span<const double> scores, double threshold) {
  Proportion share;
  for (const double score : scores) share.add(score > threshold);
  return share;
}

}  // namespace

OperatingPoint operating_point(std::span<const double> positives, std::span<const double> negatives,
                               double threshold) {
  return {threshold, above(positives, threshold), above(negatives, threshold)};
}

std::vector<RocPoint> roc_curve(std::span<const double> positives, std::span<const double> negatives) {
  if (positives.empty() || negatives.empty()) return {};
  const std::vector<double> hits = descending(positives);
  const std::vector<double> alarms = descending(negatives);
  std::vector<RocPoint> curve;
  std::size_t h = 0;
  std::size_t a = 0;
  while (h < hits.size() || a < alarms.size()) {
    const double score = h == hits.size()     ? alarms[a]
                         : a == alarms.size() ? hits[h]
                                              : std::max(hits[h], alarms[a]);
    curve.push_back({static_cast<double>(a) / static_cast<double>(alarms.size()),
                     static_cast<double>(h) / static_cast<double>(hits.size()), score});
    while (h < hits.size() && hits[h] == score) ++h;
    while (a < alarms.size() && alarms[a] == score) ++a;
  }
  curve.push_back({1, 1, std::nullopt});
  return curve;
}

TprAtFpr tpr_at_fpr(std::span<const double> positives, std::span<const double> negatives,
                    double false_positive_rate) {
  // 1e-9: 0.07 of 100 is 7, also where the product is 6.999.
  const auto size = static_cast<double>(negatives.size());
  const auto allowed = static_cast<std::size_t>(false_positive_rate * size + 1e-9);
  if (allowed < 1) {
    return {std::nullopt,
            fmt::format("a false-positive rate of {} needs at least {} negatives, there are {}",
                        false_positive_rate, std::ceil(1 / false_positive_rate - 1e-9), negatives.size())};
  }
  if (positives.empty()) return {std::nullopt, "there are no positives"};
  return {operating_point(positives, negatives, descending(negatives)[allowed]), ""};
}

}  // namespace hrt
