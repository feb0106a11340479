#include "hrt/analysis/refusal_score.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>

namespace hrt {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

at::Tensor logits(std::vector<double> values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble).view({-1, 5});
}

const at::Tensor kBase = logits({1, 2, 3, -1, 0.5, 0, 0, 0, 0, 10});
const at::Tensor kOther = logits({1, 1, 3, -2, 0.5, 0, 0, 1, 0, 9});

// torch 2.13 in Python, float64, the released code's formulas.
TEST(RefusalScores, AreLogOddsOfTheTokensMass) {
  const std::vector<std::int64_t> tokens{1, 3};
  EXPECT_THAT(refusal_scores(kBase, tokens),
              ElementsAre(DoubleNear(-1.1481467169946633, 1e-12), DoubleNear(-9.306833478915777, 1e-12)));
}

TEST(RefusalScores, StayFiniteWhereTheMassIsNoneOrAll) {
  const auto scores =
      refusal_scores(logits({1000, 0, 0, 0, 0, 0, 1000, 0, 0, 0}), std::vector<std::int64_t>{1});
  EXPECT_THAT(scores, ElementsAre(DoubleNear(std::log(1e-8), 1e-6), DoubleNear(-std::log(1e-8), 1e-6)));
}

TEST(KlDivergences, AreOfTheFirstFromTheSecond) {
  EXPECT_THAT(kl_divergences(kBase, kOther),
              ElementsAre(DoubleNear(0.07567928178423108, 1e-14), DoubleNear(0.00029690149157803514, 1e-14)));
}

TEST(KlDivergences, WithTheReleasedEpsilon) {
  EXPECT_THAT(kl_divergences(kBase, kOther, kArditiKlEpsilon),
              ElementsAre(DoubleNear(0.07567712973041756, 1e-14), DoubleNear(0.00029962257488064616, 1e-14)));
}

TEST(KlDivergences, IgnoreAShiftOfAllLogits) {
  EXPECT_THAT(kl_divergences(kBase, kBase + 7), ElementsAre(DoubleNear(0, 1e-14), DoubleNear(0, 1e-14)));
}

}  // namespace
}  // namespace hrt
