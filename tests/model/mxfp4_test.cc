#include "mxfp4.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hrt {
namespace {

// A group whose first numbers are of these 4 bits each, and whose others are 0.
at::Tensor group(const std::vector<int>& numbers) {
  at::Tensor blocks = at::zeros({1, 1, 16}, at::kByte);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    auto& byte = blocks.data_ptr<std::uint8_t>()[i / 2];
    byte = static_cast<std::uint8_t>(byte | (numbers[i] << (i % 2 == 0 ? 0 : 4)));
  }
  return blocks;
}

at::Tensor scale(int value) { return at::full({1, 1}, value, at::kByte); }

TEST(Mxfp4, NumbersByTheStandard) {
  const at::Tensor values = dequantise_mxfp4(group({0, 1, 2, 3, 4, 5, 6, 7, 9, 15}), scale(127));
  ASSERT_EQ(values.sizes(), at::IntArrayRef({1, 32}));
  const float expected[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.5, -6, 0};
  for (std::int64_t i = 0; i < 11; ++i) EXPECT_EQ(values[0][i].item<float>(), expected[i]) << i;
}

TEST(Mxfp4, ScalesArePowersOfTwo) {
  EXPECT_EQ(dequantise_mxfp4(group({7}), scale(129))[0][0].item<float>(), 24);
  EXPECT_EQ(dequantise_mxfp4(group({1}), scale(0))[0][0].item<float>(), std::ldexp(1.0F, -128));
  EXPECT_EQ(dequantise_mxfp4(group({7}), scale(252))[0][0].item<float>(), std::ldexp(6.0F, 125));
}

TEST(Mxfp4, TheScaleThatMeansNanGivesNothingFinite) {
  const at::Tensor values = dequantise_mxfp4(group({7}), scale(255));
  EXPECT_FALSE(values.isfinite().any().item<bool>());
}

}  // namespace
}  // namespace hrt
