#include "tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

namespace hrt {

std::vector<double> to_vector(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kCPU, at::kDouble).contiguous();
  const double* data = flat.const_data_ptr<double>();
  return {data, data + flat.numel()};
}

at::Tensor to_tensor(const std::vector<double>& values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble);
}

at::Tensor unit_rows(const at::Tensor& rows) {
  const at::Tensor exact = rows.to(at::kDouble);
  const at::Tensor norms = at::linalg_vector_norm(exact, 2, {-1}, /*keepdim=*/true);
  return exact / at::where(norms > 0, norms, 1.0);
}

}  // namespace hrt
