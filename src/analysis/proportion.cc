#include "hrt/analysis/proportion.h"

#include <cmath>

namespace hrt {

std::optional<double> Proportion::rate() const {
  if (n == 0) return std::nullopt;
  return static_cast<double>(count) / static_cast<double>(n);
}

std::optional<Interval> Proportion::interval() const {
  if (n == 0) return std::nullopt;
  const auto size = static_cast<double>(n);
  const double share = *rate();
  const double shrink = 1 / (1 + kZ95 * kZ95 / size);
  const double centre = shrink * (share + kZ95 * kZ95 / (2 * size));
  const double half = shrink * kZ95 * std::sqrt(share * (1 - share) / size + kZ95 * kZ95 / (4 * size * size));
  // The ends are exact at 0 and n of n; rounding would leave 1e-17.
  return Interval{count == 0 ? 0 : centre - half, count == n ? 1 : centre + half};
}

}  // namespace hrt
