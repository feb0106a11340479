#include "hrt/analysis/scores.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

namespace hrt {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Optional;

// [5 prompts, 2 rows, 2]
at::Tensor five_prompts() {
  const std::vector<double> values{1, 2, 0, 1, 2, 1, 1, 1, -1, 3, 2, 0, 0, -2, 1, -1, 1, 0, -1, -3};
  return at::tensor(at::ArrayRef<double>(values), at::kDouble).view({5, 2, 2});
}

auto near(double value) { return Optional(DoubleNear(value, 1e-14)); }

// numpy 2: cos(h, mean(h[:3])) - cos(h, mean(h[3:])).
TEST(CentroidScores, AreDifferencesOfCosines) {
  const at::Tensor prompts = five_prompts();
  const CentroidScorer scorer(centroid_of(prompts.narrow(0, 0, 3)).mean(),
                              centroid_of(prompts.narrow(0, 3, 2)).mean());
  const auto scores = centroid_scores(prompts, scorer);
  ASSERT_EQ(scores.size(), 5u);
  EXPECT_THAT(scores[0], ElementsAre(near(1.5899494936611664), near(1.554700196225229)));
  EXPECT_THAT(scores[2], ElementsAre(near(1.7899494936611662), near(0.8320502943378437)));
  EXPECT_THAT(scores[4], ElementsAre(near(-0.13098582948312004), near(-1.7380355154268399)));
}

// numpy 2: the same with means that leave the scored prompt out.
TEST(LeaveOneOutScores, UseTheOtherPromptsCentroids) {
  const std::vector<Side> sides{Side::kPlus, Side::kPlus, Side::kPlus, Side::kMinus, Side::kMinus};
  const auto scores = leave_one_out_scores(five_prompts(), sides);
  ASSERT_EQ(scores.size(), 5u);
  EXPECT_THAT(scores[0], ElementsAre(near(1.5761870601839527), near(1.316227766016838)));
  EXPECT_THAT(scores[1], ElementsAre(near(0.447213595499958), near(1.655790079237061)));
  EXPECT_THAT(scores[3], ElementsAre(near(-0.9486832980505138), near(-0.2510974603617738)));
  EXPECT_THAT(scores[4], ElementsAre(near(0.3162277660168379), near(-1.2365658128762842)));
}

TEST(LeaveOneOutScores, OfAPromptOnNeitherSideUseWholeCentroids) {
  const std::vector<Side> sides{Side::kPlus, Side::kPlus, Side::kMinus, Side::kMinus, Side::kNeither};
  const at::Tensor prompts = five_prompts();
  const CentroidScorer scorer(centroid_of(prompts.narrow(0, 0, 2)).mean(),
                              centroid_of(prompts.narrow(0, 2, 2)).mean());
  EXPECT_EQ(leave_one_out_scores(prompts, sides)[4], scorer.score(prompts[4]));
}

TEST(LeaveOneOutScores, AreNothingWhereNoOtherPromptIsLeft) {
  const std::vector<Side> sides{Side::kPlus, Side::kMinus, Side::kMinus, Side::kNeither, Side::kNeither};
  const auto scores = leave_one_out_scores(five_prompts(), sides);
  EXPECT_THAT(scores[0], Each(std::nullopt));
  EXPECT_THAT(scores[1], Each(testing::Ne(std::nullopt)));
  EXPECT_THAT(scores[3], Each(testing::Ne(std::nullopt)));
  const std::vector<Side> no_minus(5, Side::kPlus);
  EXPECT_THAT(leave_one_out_scores(five_prompts(), no_minus)[0], Each(std::nullopt));
}

// Row 0 at t_post_inst is the same token in every prompt: 0, exactly, and no rounding of it.
TEST(Scores, AreExactlyZeroWhereAllPromptsAreEqual) {
  const std::vector<double> odd{0.1, 0.7, -0.3};
  const at::Tensor same = at::tensor(at::ArrayRef<double>(odd), at::kFloat).view({1, 1, 3}).expand({7, 1, 3});
  std::vector<Side> sides(7, Side::kPlus);
  sides[0] = sides[1] = sides[2] = Side::kMinus;
  for (const RowScores& scores : leave_one_out_scores(same, sides))
    EXPECT_THAT(scores, ElementsAre(Optional(0.0)));
  const CentroidScorer scorer(centroid_of(same).mean(), centroid_of(same.narrow(0, 0, 3)).mean());
  EXPECT_THAT(scorer.score(same[0]), ElementsAre(Optional(0.0)));
}

TEST(Scores, AreNothingWhereAVectorIsZero) {
  const at::Tensor ones = five_prompts()[0];
  at::Tensor half = ones.clone();
  half[1].zero_();
  EXPECT_THAT(CentroidScorer(ones, -ones).score(half), ElementsAre(near(2), std::nullopt));
  EXPECT_THAT(CentroidScorer(half, -ones).score(ones), ElementsAre(near(2), std::nullopt));
  EXPECT_THAT(CentroidScorer(ones, -half).score(ones), ElementsAre(near(2), std::nullopt));
}

}  // namespace
}  // namespace hrt
