#include "hrt/analysis/categories.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "hrt/analysis/proportion.h"
#include "test_tensors.h"

namespace hrt {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Optional;

auto near(double value) { return Optional(DoubleNear(value, 1e-12)); }

// Three directions in two rows: row 0 has one that is zero.
at::Tensor three_directions() { return tensor_of({1, 0, 3, 4, 0, 0, 0, 2, 1, 1, 1, -1}, {3, 2, 2}); }

CosineMatrix matrix_of(std::int64_t size, const std::vector<double>& above_diagonal) {
  CosineMatrix matrix(size);
  std::size_t next = 0;
  for (std::int64_t i = 0; i < size; ++i) {
    matrix.at(i, i) = 1;
    for (std::int64_t j = i + 1; j < size; ++j) matrix.at(i, j) = matrix.at(j, i) = above_diagonal[next++];
  }
  return matrix;
}

TEST(CategoryDirections, AreCentroidsMinusTheBase) {
  const at::Tensor prompts = tensor_of({1, 2, 3, 4, 5, 9}, {3, 1, 2});
  const at::Tensor base = tensor_of({1, 1}, {1, 2});
  const std::vector<std::int64_t> categories{2, 0, 2};
  EXPECT_TRUE(
      category_directions(prompts, categories, 3, base).equal(tensor_of({2, 3, 0, 0, 2, 4.5}, {3, 1, 2})));
}

TEST(CosineMatrices, AreOneARowAndNothingForZeroDirections) {
  const auto matrices = cosine_matrices(three_directions());
  ASSERT_EQ(matrices.size(), 2u);
  EXPECT_THAT(matrices[0].at(0, 2), near(0.7071067811865475));
  EXPECT_THAT(matrices[0].at(2, 2), near(1));
  EXPECT_EQ(matrices[0].at(0, 1), std::nullopt);
  EXPECT_EQ(matrices[0].at(1, 1), std::nullopt);
  EXPECT_THAT(matrices[1].at(0, 1), near(0.8));
  EXPECT_THAT(matrices[1].at(2, 1), near(-0.7071067811865475));
}

TEST(MeanMatrix, LeavesOutRow0AndUndefinedCosines) {
  const at::Tensor directions = at::cat({three_directions(), three_directions()}, 1);  // rows 0, 1, 5, 6
  const std::vector<std::int64_t> rows{0, 1, 5, 6};
  const auto mean = mean_matrix(cosine_matrices(directions), rows);
  EXPECT_THAT(mean.at(0, 1), near(0.8));  // rows 1 and 6: in row 5 one is zero
  EXPECT_THAT(mean.at(0, 2), near((0.7071067811865475 + 2 * (3 - 4) / (5 * 1.4142135623730951)) / 3));
  const std::vector<std::int64_t> only_row_0{0};
  EXPECT_EQ(mean_matrix(std::vector<CosineMatrix>{matrix_of(2, {0.5})}, only_row_0).at(0, 1), std::nullopt);
}

TEST(MeanWithOthers, DoesNotCountItself) {
  EXPECT_THAT(mean_with_others(matrix_of(3, {0.6, 0.2, 0.4})), ElementsAre(near(0.4), near(0.5), near(0.3)));
  EXPECT_THAT(mean_with_others(CosineMatrix(2)), Each(std::nullopt));
  EXPECT_THAT(mean_with_others(matrix_of(1, {})), ElementsAre(std::nullopt));
}

// scipy 1.17: leaves_list(linkage(squareform(1 - cosines), "average")).
TEST(HierarchicalOrder, AgreesWithScipy) {
  const auto matrix = matrix_of(6, {.6, .1, .3, .82, .25, .15, .35, .7, .2, .5, .05, .12, .4, .33, .9});
  EXPECT_THAT(hierarchical_order(matrix), ElementsAre(2, 3, 4, 5, 0, 1));
}

TEST(HierarchicalOrder, OfFewOrUndefinedIsTheirOwn) {
  EXPECT_THAT(hierarchical_order(CosineMatrix(0)), testing::IsEmpty());
  EXPECT_THAT(hierarchical_order(CosineMatrix(1)), ElementsAre(0));
  EXPECT_THAT(hierarchical_order(CosineMatrix(2)), ElementsAre(0, 1));
}

TEST(SplitHalfCosines, AreOneWithoutNoiseAndNearZeroWithoutSignal) {
  const at::Tensor base = at::zeros({1, 50}, at::kDouble);
  const at::Tensor same = tensor_of(std::vector<double>(400, 3.0), {8, 1, 50});
  EXPECT_THAT(split_half_cosines(same, base, 1), ElementsAre(near(1)));
  Random random(16);
  const auto noise = split_half_cosines(normal_tensor({40, 1, 50}, random), base, 1);
  EXPECT_NEAR(*noise[0], 0, 0.2);
}

TEST(SplitHalfCosines, RepeatWithTheirSeedAndNeedTwoPrompts) {
  Random random(17);
  const at::Tensor prompts = normal_tensor({9, 2, 5}, random) + 1;
  const at::Tensor base = at::zeros({2, 5}, at::kDouble);
  EXPECT_EQ(split_half_cosines(prompts, base, 4), split_half_cosines(prompts, base, 4));
  EXPECT_NE(split_half_cosines(prompts, base, 4), split_half_cosines(prompts, base, 5));
  EXPECT_THAT(split_half_cosines(prompts.narrow(0, 0, 1), base, 4), Each(std::nullopt));
}

// Categories that are one direction plus noise: two sets of n prompts agree as halves of n each, corrected to
// n, say.
TEST(WholeFromHalves, PredictsTheCosineOfWholes) {
  Random random(18);
  const at::Tensor base = at::zeros({1, 200}, at::kDouble);
  const at::Tensor first = normal_tensor({40, 1, 200}, random) + 0.3;
  const at::Tensor second = normal_tensor({40, 1, 200}, random) + 0.3;
  const double measured = *row_cosines(centroid_of(first).mean(), centroid_of(second).mean())[0];
  EXPECT_NEAR(*whole_from_halves(*split_half_cosines(first, base, 1)[0]), measured, 0.05);
  EXPECT_EQ(whole_from_halves(-0.1), std::nullopt);
  EXPECT_EQ(whole_from_halves(1), 1.0);
}

// Three categories around directions of known cosines: intervals of the first one's mean cosine with the
// others hold the true one about as often as they say.
TEST(MeanWithOthersIntervals, CoverAtTheirRate) {
  const std::int64_t dims = 24;
  const std::int64_t prompts = 25;
  Random random(7);
  const at::Tensor truth = normal_tensor({3, 1, dims}, random) + 1;
  const at::Tensor base = at::zeros({1, dims}, at::kDouble);
  const std::vector<std::int64_t> rows{1};
  const double expected = *mean_with_others(mean_matrix(cosine_matrices(truth), rows))[0];
  std::vector<std::int64_t> categories;
  for (std::int64_t i = 0; i < 3 * prompts; ++i) categories.push_back(i / prompts);
  Proportion covered;
  for (std::uint64_t run = 0; run < 200; ++run) {
    const at::Tensor noise = normal_tensor({3 * prompts, 1, dims}, random) * 2;
    const at::Tensor activations = truth.repeat_interleave(prompts, 0) + noise;
    const auto intervals = mean_with_others_intervals(activations, categories, 3, base, rows, run);
    covered.add(intervals[0]->contains(expected));
  }
  EXPECT_GT(*covered.rate(), 0.9);
  EXPECT_LT(*covered.rate(), 0.99);
}

}  // namespace
}  // namespace hrt
