#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace hrt {

// All elements in order, as float64 on the host.
std::vector<double> to_vector(const at::Tensor& values);

// The other way: [values] float64.
at::Tensor to_tensor(const std::vector<double>& values);

// Vectors along the last dimension scaled to length 1, in float64; zero vectors stay zero.
at::Tensor unit_rows(const at::Tensor& rows);

}  // namespace hrt
