#include "hrt/analysis/silhouette.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "test_tensors.h"

namespace hrt {
namespace {

const at::Tensor kFirst = tensor_of({1, 2, 0, 2, 1, 1, 1.5, 2, -1}, {3, 3});
const at::Tensor kSecond = tensor_of({-1, 3, 2, 0, -2, 1, 1, 0, 4, 0.5, -1, 3}, {4, 3});

// scikit-learn 1.9: silhouette_score(points, labels, metric=...).
TEST(Silhouette, AgreesWithScikitLearn) {
  EXPECT_NEAR(*silhouette(kFirst, kSecond, Distance::kEuclidean), 0.32016221452152277, 1e-12);
  EXPECT_NEAR(*silhouette(kFirst, kSecond, Distance::kCosine), 0.5066909628396108, 1e-12);
}

TEST(Silhouette, IsSymmetricAndBlindToScaleUnderCosine) {
  EXPECT_NEAR(*silhouette(kSecond, kFirst, Distance::kEuclidean), 0.32016221452152277, 1e-12);
  EXPECT_NEAR(*silhouette(7 * kFirst, kSecond, Distance::kCosine), 0.5066909628396108, 1e-12);
}

TEST(Silhouette, StaysWithinItsBounds) {
  Random random(11);
  for (int trial = 0; trial < 20; ++trial) {
    const at::Tensor first = normal_tensor({5, 4}, random);
    const at::Tensor second = normal_tensor({6, 4}, random) + trial;
    for (const Distance distance : {Distance::kCosine, Distance::kEuclidean}) {
      const double value = *silhouette(first, second, distance);
      EXPECT_GE(value, -1);
      EXPECT_LE(value, 1);
    }
  }
  const at::Tensor tight = tensor_of({1, 0, 1, 1e-9}, {2, 2});
  EXPECT_NEAR(*silhouette(tight, -tight, Distance::kCosine), 1, 1e-6);
  EXPECT_NEAR(*silhouette(tight, 1e6 * tight, Distance::kEuclidean), 1, 1e-2);
}

// Equal prompts have no structure, and rounding must not invent one.
TEST(Silhouette, OfEqualPointsIsZero) {
  const at::Tensor same = tensor_of({0.1, 0.7, -0.3}, {1, 3}).expand({5, 3});
  EXPECT_EQ(silhouette(same, same, Distance::kCosine), 0.0);
  EXPECT_EQ(silhouette(same, same, Distance::kEuclidean), 0.0);
}

TEST(Silhouette, APromptAloneInItsClusterCountsAsZero) {
  const at::Tensor alone = tensor_of({5, 5}, {1, 2});
  const at::Tensor pair = tensor_of({0, 1, 0, 1}, {2, 2});
  EXPECT_NEAR(*silhouette(alone, pair, Distance::kEuclidean), 2.0 / 3, 1e-12);
  EXPECT_EQ(silhouette(alone, alone, Distance::kEuclidean), 0.0);
}

TEST(Silhouette, LeavesOutVectorsWithoutADirection) {
  const at::Tensor padded = at::cat({kFirst, at::zeros({2, 3}, at::kDouble)});
  EXPECT_EQ(silhouette(padded, kSecond, Distance::kCosine), silhouette(kFirst, kSecond, Distance::kCosine));
  EXPECT_FALSE(silhouette(at::zeros({2, 3}, at::kDouble), kSecond, Distance::kCosine).has_value());
  EXPECT_FALSE(silhouette(kFirst.narrow(0, 0, 0), kSecond, Distance::kEuclidean).has_value());
}

}  // namespace
}  // namespace hrt
