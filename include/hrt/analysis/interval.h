#pragma once

namespace hrt {

// Every interval of hrt covers 95 %: kZ95 is the standard normal's 97.5 % quantile.
inline constexpr double kConfidence = 0.95;
inline constexpr double kZ95 = 1.959963984540054;

struct Interval {
  double low = 0;
  double high = 0;

  bool contains(double value) const { return low <= value && value <= high; }
  bool operator==(const Interval&) const = default;
};

}  // namespace hrt
