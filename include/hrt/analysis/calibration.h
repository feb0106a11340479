#pragma once

#include <optional>
#include <span>
#include <vector>

namespace hrt {

// From a score to the probability that the prompt is positive.

// 1 / (1 + exp(-(slope score + intercept))).
struct PlattCalibration {
  double slope = 0;
  double intercept = 0;

  double probability(double score) const;
};

// Platt's maximum likelihood with his smoothed targets, (n+ + 1) / (n+ + 2) and 1 / (n- + 2), which keep it
// finite where scores separate the groups; Newton steps as in Lin, Lin and Weng (Machine Learning 68, 2007).
// Nothing where a group is empty.
std::optional<PlattCalibration> fit_platt(std::span<const double> positives,
                                          std::span<const double> negatives);

// Non-decreasing and linear between knots; constant beyond the first and the last.
struct IsotonicCalibration {
  std::vector<double> scores;         // ascending, distinct
  std::vector<double> probabilities;  // non-decreasing

  double probability(double score) const;
};

// Isotonic regression by pooling adjacent violators, equal scores being pooled first (as scikit-learn does,
// its interpolation included). Nothing where a group is empty. Throws RunError for a NaN.
std::optional<IsotonicCalibration> fit_isotonic(std::span<const double> positives,
                                                std::span<const double> negatives);

}  // namespace hrt
