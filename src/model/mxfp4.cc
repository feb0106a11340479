#include "mxfp4.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <cmath>

namespace hrt {
namespace {

constexpr std::int64_t kBytes = kMxfp4Group / 2;
constexpr float kE2m1[] = {0.0F,  0.5F,  1.0F,  1.5F,  2.0F,  3.0F,  4.0F,  6.0F,
                           -0.0F, -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F};
constexpr int kE8m0Bias = 127;
// Groups that are worth a second thread.
constexpr std::int64_t kGrain = 1024;

}  // namespace

at::Tensor dequantise_mxfp4(const at::Tensor& blocks, const at::Tensor& scales) {
  at::Tensor out = at::empty({blocks.size(0), blocks.size(1) * kMxfp4Group}, at::kFloat);
  const auto* bytes = blocks.const_data_ptr<std::uint8_t>();
  const auto* exponents = scales.const_data_ptr<std::uint8_t>();
  auto* values = out.data_ptr<float>();
  at::parallel_for(0, scales.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t group = begin; group < end; ++group) {
      const float scale = std::ldexp(1.0F, exponents[group] - kE8m0Bias);
      for (std::int64_t i = 0; i < kBytes; ++i) {
        const std::uint8_t byte = bytes[group * kBytes + i];
        values[group * kMxfp4Group + 2 * i] = kE2m1[byte & 0xF] * scale;
        values[group * kMxfp4Group + 2 * i + 1] = kE2m1[byte >> 4] * scale;
      }
    }
  });
  return out;
}

}  // namespace hrt
