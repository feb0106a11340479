#pragma once

#include <span>
#include <vector>

namespace hrt {

// Ranks from 1; equal values share the mean of their ranks. Throws RunError for a NaN, which has no rank.
std::vector<double> midranks(std::span<const double> values);

}  // namespace hrt
