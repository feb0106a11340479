#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hrt {

// A tensor as its file describes it; nothing of its data is read for this.
struct TensorLayout {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // in elements, one for each size
};

// The strides of a tensor that lies row by row without gaps (C order).
std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape);

// shape x `element` bytes, or nothing when it does not fit 63 bits. Sizes of 0 do not hide the others:
// strides are products, too.
std::optional<std::uint64_t> byte_size(const std::vector<std::int64_t>& shape, std::uint64_t element);

}  // namespace hrt
