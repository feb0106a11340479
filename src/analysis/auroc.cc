#include "hrt/analysis/auroc.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "hrt/analysis/ranks.h"

namespace hrt {
namespace {

// Hanley and McNeil's variance of an area `theta`, both groups taken as their mean size in the two
// correlation terms (Newcombe's method 5), so that swapping the groups mirrors the interval.
double variance(double theta, double positives, double negatives) {
  const double others = (positives + negatives) / 2 - 1;
  return theta * (1 - theta) * (1 + others * (1 - theta) / (2 - theta) + others * theta / (1 + theta)) /
         (positives * negatives);
}

// The end of the interval between `value` and `edge` (0 or 1): where the distance from `value` is z
// deviations.
double score_limit(double value, double edge, double positives, double negatives) {
  double inside = value;
  double outside = edge;
  for (int step = 0; step < 60; ++step) {
    const double theta = (inside + outside) / 2;
    const bool within = std::abs(theta - value) <= kZ95 * std::sqrt(variance(theta, positives, negatives));
    (within ? inside : outside) = theta;
  }
  return outside;
}

}  // namespace

std::optional<Auroc> auroc(std::span<const double> positives, std::span<const double> negatives) {
  if (positives.empty() || negatives.empty()) return std::nullopt;
  std::vector<double> scores(positives.begin(), positives.end());
  scores.insert(scores.end(), negatives.begin(), negatives.end());
  const std::vector<double> ranks = midranks(scores);
  const auto m = static_cast<double>(positives.size());
  const auto n = static_cast<double>(negatives.size());
  const double rank_sum = std::accumulate(ranks.begin(), ranks.begin() + std::ssize(positives), 0.0);
  const double value = (rank_sum - m * (m + 1) / 2) / (m * n);
  return Auroc{value,
               std::ssize(positives),
               std::ssize(negatives),
               {score_limit(value, 0, m, n), score_limit(value, 1, m, n)}};
}

}  // namespace hrt
