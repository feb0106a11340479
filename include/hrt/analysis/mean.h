#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "hrt/analysis/interval.h"

namespace hrt {

struct Mean {
  std::int64_t n = 0;
  double value = 0;
  std::optional<double> deviation;  // of the sample (n - 1); nothing for n = 1
  std::optional<Interval>
      interval;  // value +- t deviation / sqrt(n), Student's t with n - 1 degrees; as deviation
};

// Nothing for n = 0.
std::optional<Mean> mean_of(std::span<const double> values);

// The 97.5 % quantile of Student's t with `degrees` >= 1 degrees of freedom.
double student_t_quantile(std::int64_t degrees);

}  // namespace hrt
