#include "hrt/analysis/plane.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "hrt/analysis/mean.h"

namespace hrt {
namespace {

double mean_at(std::span<const double> values, std::span<const std::int64_t> items) {
  double sum = 0;
  for (const std::int64_t i : items) sum += values[static_cast<std::size_t>(i)];
  return sum / static_cast<double>(items.size());
}

double covariance(const std::vector<double>& x, const std::vector<double>& y) {
  const double mean_x = mean_of(x)->value;
  const double mean_y = mean_of(y)->value;
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - mean_x) * (y[i] - mean_y);
  return sum / static_cast<double>(x.size() - 1);
}

// The ellipse of the eigenvectors of [[xx, xy], [xy, yy]].
Ellipse ellipse_of(double xx, double xy, double yy) {
  const double scale = -2 * std::log(1 - kConfidence);
  const double middle = (xx + yy) / 2;
  const double spread = std::hypot((xx - yy) / 2, xy);
  return {std::sqrt(scale * (middle + spread)), std::sqrt(scale * std::max(middle - spread, 0.0)),
          std::atan2(2 * xy, xx - yy) / 2};
}

}  // namespace

std::optional<PlaneCentre> plane_centre(std::span<const double> x, std::span<const double> y,
                                        Resampler resampler, int resamples) {
  if (x.empty()) return std::nullopt;
  PlaneCentre centre{std::ssize(x), mean_of(x)->value, mean_of(y)->value, std::nullopt};
  if (resampler.units() < 2) return centre;
  std::vector<double> means_x;
  std::vector<double> means_y;
  for (int i = 0; i < resamples; ++i) {
    const auto drawn = resampler.draw();
    means_x.push_back(mean_at(x, drawn));
    means_y.push_back(mean_at(y, drawn));
  }
  centre.ellipse =
      ellipse_of(covariance(means_x, means_x), covariance(means_x, means_y), covariance(means_y, means_y));
  return centre;
}

}  // namespace hrt
