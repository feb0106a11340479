#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "hrt/base/json.h"
#include "hrt/tensor/tensor_file.h"

namespace hrt {

// Computed in float64 over the finite values, piece by piece: the tensor, whatever its strides, is never
// copied as a whole.
struct TensorStatistics {
  std::int64_t finite = 0;      // values
  std::int64_t not_finite = 0;  // NaN and infinities
  double min = 0;               // of the finite values, as all below; 0 when there are none
  double max = 0;
  double mean = 0;
  double norm = 0;  // square root of the sum of squares
};
TensorStatistics tensor_statistics(const at::Tensor& tensor);

// {path, bytes (of the file, or of `only`), metadata, tensors: [{name, dtype, shape, strides, statistics}]},
// of `only` or of all tensors. `statistics` is null for all tensors of a file that is too large to be read in
// a moment, unless `only` asks.
Json describe_tensors(const TensorFile& file, const std::optional<std::string>& only);

// The description as a page for people.
std::string tensors_page(const Json& description);

}  // namespace hrt
