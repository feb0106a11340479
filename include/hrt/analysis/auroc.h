#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "hrt/analysis/interval.h"

namespace hrt {

// Area under the ROC curve: the chance that a positive scores above a negative, ties counting half
// (Mann-Whitney).
struct Auroc {
  double value = 0;
  std::int64_t positives = 0;
  std::int64_t negatives = 0;
  Interval interval;
};

// The interval is Newcombe's score interval for the Mann-Whitney statistic (Statistics in Medicine 25, 2006,
// 559-573, method 5): all theta with |theta - value| <= z sqrt(V(theta)), V being Hanley and McNeil's
// variance. DeLong's and the bootstrap's intervals shrink to a point where the groups are separated, which is
// where guards and probes are and where few examples prove least; this one keeps the width that the counts
// allow, as Wilson's does. Nothing where a group is empty. Throws RunError for a NaN.
std::optional<Auroc> auroc(std::span<const double> positives, std::span<const double> negatives);

}  // namespace hrt
