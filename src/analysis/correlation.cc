#include "hrt/analysis/correlation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "hrt/analysis/ranks.h"

namespace hrt {
namespace {

std::vector<double> centred(std::span<const double> values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  std::vector<double> result(values.begin(), values.end());
  for (double& value : result) value -= mean;
  return result;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

bool is_constant(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double value) { return value == values[0]; });
}

std::optional<double> coefficient(std::span<const double> x, std::span<const double> y) {
  if (x.size() < 2 || is_constant(x) || is_constant(y)) return std::nullopt;
  const std::vector<double> a = centred(x);
  const std::vector<double> b = centred(y);
  return std::clamp(dot(a, b) / (std::sqrt(dot(a, a)) * std::sqrt(dot(b, b))), -1.0, 1.0);
}

// atanh(+-1) is infinite, and the interval then the point +-1.
Correlation with_interval(double r, std::size_t n, double variance_factor) {
  if (n < 4) return {r, static_cast<std::int64_t>(n), std::nullopt};
  const double half = kZ95 * std::sqrt(variance_factor / static_cast<double>(n - 3));
  return {r, static_cast<std::int64_t>(n),
          Interval{std::tanh(std::atanh(r) - half), std::tanh(std::atanh(r) + half)}};
}

}  // namespace

std::optional<Correlation> pearson(std::span<const double> x, std::span<const double> y) {
  const auto r = coefficient(x, y);
  if (!r) return std::nullopt;
  return with_interval(*r, x.size(), 1);
}

std::optional<Correlation> spearman(std::span<const double> x, std::span<const double> y) {
  const auto rho = coefficient(midranks(x), midranks(y));
  if (!rho) return std::nullopt;
  return with_interval(*rho, x.size(), 1 + *rho * *rho / 2);
}

}  // namespace hrt
