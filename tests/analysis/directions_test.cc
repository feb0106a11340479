#include "hrt/analysis/directions.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "test_tensors.h"

namespace hrt {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

at::Tensor rows(std::vector<double> values, std::int64_t width) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble).view({-1, width});
}

TEST(Centroid, IsTheMeanOfWhatWasAdded) {
  Centroid centroid;
  centroid.add(rows({1, 2, 3, 4}, 2));
  centroid.add(rows({3, 4, 5, 8}, 2));
  EXPECT_EQ(centroid.count(), 2);
  EXPECT_TRUE(centroid.mean().equal(rows({2, 3, 4, 6}, 2)));
}

TEST(Centroid, KeepsSmallDifferencesThatHalfPrecisionSumsLose) {
  // 4096 bfloat16 ones and one value of 1/128 more: a bfloat16 sum stops growing at 256.
  Centroid centroid;
  for (int i = 0; i < 4096; ++i) centroid.add(at::full({1, 1}, 1.0078125, at::kBFloat16));
  EXPECT_DOUBLE_EQ(centroid.mean().item<double>(), 1.0078125);
}

TEST(Centroid, DoesNotChangeWhatItWasGiven) {
  Centroid centroid;
  const at::Tensor first = rows({1, 1}, 2);
  centroid.add(first);
  centroid.add(rows({5, 5}, 2));
  EXPECT_TRUE(first.equal(rows({1, 1}, 2)));
}

TEST(Centroid, WithoutOneIsTheMeanOfTheOthers) {
  const at::Tensor prompts = rows({1, 2, 3, 4, 5, 9}, 2).view({3, 1, 2});
  EXPECT_TRUE(centroid_of(prompts).mean_without(prompts[1]).equal(rows({3, 5.5}, 2)));
}

TEST(RowNorms, AreEuclidean) { EXPECT_THAT(row_norms(rows({3, 4, 0, 0}, 2)), ElementsAre(5.0, 0.0)); }

TEST(RowCosines, AreNothingWhereARowIsZero) {
  const auto cosines = row_cosines(rows({1, 0, 0, 0, 1, 1}, 2), rows({1, 1, 1, 1, -1, -1}, 2));
  ASSERT_EQ(cosines.size(), 3u);
  EXPECT_THAT(*cosines[0], DoubleNear(0.70710678118, 1e-10));
  EXPECT_FALSE(cosines[1].has_value());
  EXPECT_THAT(*cosines[2], DoubleNear(-1.0, 1e-12));
}

TEST(AngleOf, IsInDegreesAndForgivesRounding) {
  EXPECT_NEAR(angle_of(0), 90, 1e-12);
  EXPECT_NEAR(angle_of(0.5), 60, 1e-12);
  EXPECT_EQ(angle_of(1 + 1e-15), 0);
  EXPECT_EQ(angle_of(-1 - 1e-15), 180);
}

// numpy 2: the mean of cos(plus[i] - mean(minus), v) and cos(mean(plus) - minus[j], v) over three and two
// prompts.
TEST(DifferenceAgreement, IsTheMeanCosineWithTheDirection) {
  const at::Tensor prompts =
      rows({1, 2, 0, 1, 2, 1, 1, 1, -1, 3, 2, 0, 0, -2, 1, -1, 1, 0, -1, -3}, 2).view({5, 2, 2});
  const auto agreement = difference_agreement(prompts.narrow(0, 0, 3), prompts.narrow(0, 3, 2));
  ASSERT_EQ(agreement.size(), 2u);
  EXPECT_THAT(*agreement[0], DoubleNear(0.9422411846628451, 1e-14));
  EXPECT_THAT(*agreement[1], DoubleNear(0.9544950228564778, 1e-14));
}

TEST(DifferenceAgreement, IsOneForOneShiftAndNothingForNone) {
  const at::Tensor base = rows({1, 2, 1, 2}, 2).view({2, 1, 2});
  EXPECT_THAT(*difference_agreement(base + 3, base)[0], DoubleNear(1, 1e-14));
  EXPECT_FALSE(difference_agreement(base, base)[0].has_value());
}

TEST(DifferenceAgreement, OfNoiseIsAsItsFormulaSays) {
  Random random(3);
  const at::Tensor noise = normal_tensor({8, 1, 20'000}, random);
  const auto agreement = difference_agreement(noise.narrow(0, 0, 5), noise.narrow(0, 5, 3));
  EXPECT_THAT(*agreement[0], DoubleNear(agreement_of_noise(5, 3), 0.01));
  EXPECT_THAT(agreement_of_noise(5, 3), DoubleNear(0.645, 0.001));
  EXPECT_DOUBLE_EQ(agreement_of_noise(1, 1), 1);
}

TEST(LargestRelativeDifference, IsOfTheWorstRow) {
  const at::Tensor reference = rows({10, 0, 0, 2, 0, 0}, 2);
  EXPECT_DOUBLE_EQ(largest_relative_difference(rows({10, 1, 0, 2, 0, 0}, 2), reference), 0.1);
  EXPECT_DOUBLE_EQ(largest_relative_difference(reference, reference), 0.0);
  // A row of zeros has no norm to compare with: any difference there counts in full.
  EXPECT_DOUBLE_EQ(largest_relative_difference(rows({10, 0, 0, 2, 0, 3}, 2), reference), 3.0);
}

}  // namespace
}  // namespace hrt
