#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace hrt {

// MXFP4 (OCP Microscaling Formats 1.0): groups of 32 numbers of 4 bits (E2M1), two in a byte, the first in
// its lower half, times a power of two (E8M0) for each group.
inline constexpr std::int64_t kMxfp4Group = 32;

// Blocks [rows, groups, 16] and scales [rows, groups], bytes: [rows, 32 * groups] in float32. A scale of 255,
// which means NaN, gives numbers that are not finite.
at::Tensor dequantise_mxfp4(const at::Tensor& blocks, const at::Tensor& scales);

}  // namespace hrt
