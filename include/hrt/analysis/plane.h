#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "hrt/analysis/bootstrap.h"

namespace hrt {

// A group of prompts in the plane of two beliefs.

struct Ellipse {
  double major = 0;  // half axes
  double minor = 0;
  double angle = 0;  // of the major axis from the x axis, radians in (-pi/2, pi/2]
};

struct PlaneCentre {
  std::int64_t n = 0;
  double x = 0;
  double y = 0;
  std::optional<Ellipse> ellipse;  // nothing for fewer than two units
};

// The mean of the points (x[i], y[i]), with the 95 % ellipse of its bootstrap distribution: the covariance of
// the means of resamples, scaled by chi-squared's quantile for two dimensions, -2 ln 0.05. Nothing for n = 0.
std::optional<PlaneCentre> plane_centre(std::span<const double> x, std::span<const double> y,
                                        Resampler resampler, int resamples = kResamples);

}  // namespace hrt
