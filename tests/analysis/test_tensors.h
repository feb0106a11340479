#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <cstdint>
#include <vector>

#include "hrt/base/random.h"

namespace hrt {

// float64 of the shape that the values are listed in.
inline at::Tensor tensor_of(const std::vector<double>& values, at::IntArrayRef shape) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble).view(shape);
}

inline at::Tensor normal_tensor(at::IntArrayRef shape, Random& random) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(random.normal());
  return tensor_of(values, shape);
}

}  // namespace hrt
