#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace hrt {

// All elements in order, as float64 on the host.
inline std::vector<double> to_vector(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kCPU, at::kDouble).contiguous();
  const double* data = flat.const_data_ptr<double>();
  return {data, data + flat.numel()};
}

}  // namespace hrt
