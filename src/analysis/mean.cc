#include "hrt/analysis/mean.h"

#include <cmath>
#include <numbers>
#include <numeric>

namespace hrt {
namespace {

// P(|T| <= sqrt(degrees) tan(angle)): Abramowitz and Stegun 26.7.3 and 26.7.4, finite sums for whole degrees.
double central_mass(double angle, std::int64_t degrees) {
  const bool odd = degrees % 2 == 1;
  const double square = std::cos(angle) * std::cos(angle);
  double term = odd ? std::cos(angle) : 1;
  double sum = 0;
  for (std::int64_t k = odd ? 3 : 2; k <= degrees; k += 2) {
    sum += term;
    term *= square * static_cast<double>(k - 1) / static_cast<double>(k);
  }
  sum *= std::sin(angle);
  return odd ? (angle + sum) * 2 / std::numbers::pi : sum;
}

}  // namespace

double student_t_quantile(std::int64_t degrees) {
  double low = 0;
  double high = std::numbers::pi / 2;
  for (int step = 0; step < 60; ++step) {
    const double angle = (low + high) / 2;
    (central_mass(angle, degrees) < kConfidence ? low : high) = angle;
  }
  return std::sqrt(static_cast<double>(degrees)) * std::tan(low);
}

std::optional<Mean> mean_of(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() == 1) return Mean{1, mean, std::nullopt, std::nullopt};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / (n - 1));
  const double half = student_t_quantile(std::ssize(values) - 1) * deviation / std::sqrt(n);
  return Mean{std::ssize(values), mean, deviation, Interval{mean - half, mean + half}};
}

}  // namespace hrt
