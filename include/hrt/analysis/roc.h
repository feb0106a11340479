#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hrt/analysis/proportion.h"

namespace hrt {

// Everywhere a prompt counts as positive where score > threshold: a score that equals it is negative, as a
// score of exactly 0 is harmless.

struct OperatingPoint {
  double threshold = 0;
  Proportion true_positives;   // of the positives; its interval takes the threshold as given
  Proportion false_positives;  // of the negatives
};

OperatingPoint operating_point(std::span<const double> positives, std::span<const double> negatives,
                               double threshold);

// One point for each distinct score, from (0, 0) upwards, and (1, 1) last, which needs no threshold. Empty
// where a group is empty. Throws RunError for a NaN.
struct RocPoint {
  double false_positive_rate = 0;
  double true_positive_rate = 0;
  std::optional<double> threshold;
};
std::vector<RocPoint> roc_curve(std::span<const double> positives, std::span<const double> negatives);

// The lowest threshold whose share of false positives is at most `false_positive_rate` (0 < rate < 1): with k
// = floor(rate * negatives) false alarms allowed, the (k+1)-th highest negative. Ties there cost true
// positives, never extra false alarms. No point, but a reason, where fewer than 1 / rate negatives (or no
// positives) cannot tell.
struct TprAtFpr {
  std::optional<OperatingPoint> point;
  std::string reason;
};
TprAtFpr tpr_at_fpr(std::span<const double> positives, std::span<const double> negatives,
                    double false_positive_rate);

}  // namespace hrt
