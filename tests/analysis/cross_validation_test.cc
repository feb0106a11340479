#include "hrt/analysis/cross_validation.h"

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "test_tensors.h"

namespace hrt {
namespace {

using ::testing::Each;

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(count));
  std::iota(result.begin(), result.end(), 0);
  return result;
}

TEST(GroupFolds, AreOfEqualSizeAndSeeded) {
  const auto folds = group_folds(numbers(50), 5, 3);
  for (std::int64_t fold = 0; fold < 5; ++fold) EXPECT_EQ(std::count(folds.begin(), folds.end(), fold), 10);
  EXPECT_EQ(folds, group_folds(numbers(50), 5, 3));
  EXPECT_NE(folds, group_folds(numbers(50), 5, 4));
}

TEST(GroupFolds, KeepGroupsTogether) {
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < 90; ++i) groups.push_back(i * i % 17);
  const auto folds = group_folds(groups, 4, 1);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto same = std::find(groups.begin(), groups.end(), groups[i]) - groups.begin();
    EXPECT_EQ(folds[i], folds[static_cast<std::size_t>(same)]) << i;
  }
}

TEST(GroupFolds, BalanceGroupsOfUnequalSize) {
  const std::vector<std::int64_t> groups{1, 1, 1, 1, 2, 3, 3, 4};
  const auto folds = group_folds(groups, 2, 9);
  EXPECT_EQ(std::count(folds.begin(), folds.end(), 0), 4);
}

TEST(HeldOutScores, NeverFitToTheScoredItem) {
  // Each item is its own feature, so that a classifier knows exactly the items that it has seen.
  std::vector<double> identity(36);
  for (std::size_t i = 0; i < 6; ++i) identity[i * 7] = 1;
  const std::vector<bool> positive{true, false, true, false, true, false};
  const std::vector<std::int64_t> folds{0, 0, 1, 1, 2, 2};
  const auto scores = held_out_scores(
      tensor_of(identity, {6, 6}), positive, folds,
      [](const auto& x, const auto& y) { return fit_logistic(x, y, {.standardize = false}); });
  for (const auto& score : scores) EXPECT_NEAR(*score, 0, 1e-10);
}

TEST(HeldOutScores, AreNothingWhereTheOtherFoldsLackAClass) {
  const std::vector<bool> positive{true, true, false, false};
  const std::vector<std::int64_t> folds{0, 0, 1, 1};
  const auto scores =
      held_out_scores(tensor_of({1, 2, 3, 4}, {4, 1}), positive, folds, fit_difference_of_means);
  EXPECT_THAT(scores, Each(std::nullopt));
  const auto result = held_out_result(scores, positive);
  EXPECT_EQ(result.without_score, 4);
  EXPECT_FALSE(result.accuracy.rate().has_value());
  EXPECT_FALSE(result.auroc.has_value());
}

TEST(HeldOutResult, CountsScoresAboveZeroAsPositive) {
  const std::vector<std::optional<double>> scores{1.0, 0.0, -2.0, 3.0, std::nullopt};
  const auto result = held_out_result(scores, {true, true, false, false, true});
  EXPECT_EQ(result.accuracy.count, 2);
  EXPECT_EQ(result.accuracy.n, 4);
  EXPECT_EQ(result.without_score, 1);
  EXPECT_DOUBLE_EQ(result.auroc->value, 0.5);
}

// 200 features of noise fit 40 items perfectly; held out, they say nothing.
TEST(CrossValidation, OfNoiseIsAtChance) {
  Random random(13);
  double sum = 0;
  for (int trial = 0; trial < 10; ++trial) {
    std::vector<bool> positive;
    for (int i = 0; i < 40; ++i) positive.push_back(i % 2 == 0);
    const auto scores =
        held_out_scores(normal_tensor({40, 200}, random), positive, group_folds(numbers(40), 5, 1),
                        [](const auto& x, const auto& y) { return fit_logistic(x, y); });
    sum += held_out_result(scores, positive).auroc->value;
  }
  EXPECT_NEAR(sum / 10, 0.5, 0.08);
}

TEST(CrossValidation, FindsADirection) {
  Random random(14);
  std::vector<bool> positive;
  at::Tensor features = normal_tensor({60, 100}, random);
  for (std::int64_t i = 0; i < 60; ++i) {
    positive.push_back(i % 3 == 0);
    if (i % 3 == 0) features[i] += 0.8;
  }
  const auto folds = group_folds(numbers(60), 5, 1);
  const auto means = held_out_scores(features, positive, folds, fit_difference_of_means);
  EXPECT_GT(held_out_result(means, positive).auroc->value, 0.98);
}

}  // namespace
}  // namespace hrt
