#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "hrt/analysis/interval.h"

namespace hrt {

struct Correlation {
  double value = 0;
  std::int64_t n = 0;
  std::optional<Interval> interval;  // nothing for n < 4
};

// x[i] belongs to y[i]. Nothing for n < 2 and where x or y is constant.

// Pearson's r. Interval: Fisher's z, standard error 1 / sqrt(n - 3).
std::optional<Correlation> pearson(std::span<const double> x, std::span<const double> y);

// Spearman's rho: Pearson's r of midranks. Interval: Fisher's z with the standard error sqrt((1 + rho^2 / 2)
// / (n - 3)) of Bonett and Wright (Psychometrika 65, 2000, 23-28), since Pearson's is too small for ranks.
// Throws RunError for a NaN.
std::optional<Correlation> spearman(std::span<const double> x, std::span<const double> y);

}  // namespace hrt
