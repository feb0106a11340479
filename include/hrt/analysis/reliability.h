#pragma once

#include <optional>
#include <span>
#include <vector>

#include "hrt/analysis/interval.h"
#include "hrt/analysis/proportion.h"

namespace hrt {

// How far predicted probabilities can be taken at their word. `positives` and `negatives` are the
// probabilities, in [0, 1], that were predicted for prompts of either kind.

struct ReliabilityBin {
  Interval range;               // (low, high], the first with its low end
  double mean_probability = 0;  // predicted
  Proportion positives;         // observed
};

// Bins of equal width; empty ones are left out.
std::vector<ReliabilityBin> reliability_bins(std::span<const double> positives,
                                             std::span<const double> negatives, int bins = 10);

// Sum over bins of n_bin / n |mean predicted - observed rate| (Naeini et al. 2015). Nothing for n = 0.
std::optional<double> expected_calibration_error(std::span<const ReliabilityBin> bins);

// Mean of (probability - outcome)^2 (Brier 1950). Nothing for n = 0.
std::optional<double> brier_score(std::span<const double> positives, std::span<const double> negatives);

}  // namespace hrt
