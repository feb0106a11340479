#include "hrt/analysis/reliability.h"

#include <gtest/gtest.h>

namespace hrt {
namespace {

const std::vector<double> kPositives{0.9, 0.85, 0.3, 0.62, 1.0};
const std::vector<double> kNegatives{0.1, 0.12, 0.7, 0.0, 0.38, 0.35};

// numpy 2, bin by bin.
TEST(ReliabilityBins, HoldWhatWasPredictedAndSeen) {
  const auto bins = reliability_bins(kPositives, kNegatives, 5);
  ASSERT_EQ(bins.size(), 4u);  // none in (0.4, 0.6]
  const std::vector<double> means{0.07333333333333333, 0.34333333333333327, 0.66, 0.9166666666666666};
  const std::vector<std::int64_t> counts{3, 3, 2, 3};
  const std::vector<std::int64_t> positives{0, 1, 1, 3};
  for (std::size_t i = 0; i < bins.size(); ++i) {
    EXPECT_NEAR(bins[i].mean_probability, means[i], 1e-14) << i;
    EXPECT_EQ(bins[i].positives.n, counts[i]) << i;
    EXPECT_EQ(bins[i].positives.count, positives[i]) << i;
  }
  EXPECT_DOUBLE_EQ(bins[2].range.low, 0.6);
  EXPECT_DOUBLE_EQ(bins[2].range.high, 0.8);
  EXPECT_NEAR(*expected_calibration_error(bins), 0.07454545454545453, 1e-14);
}

TEST(ReliabilityBins, BelongToTheirUpperEnd) {
  const auto bins = reliability_bins(std::vector<double>{0, 0.5, 1}, {}, 2);
  ASSERT_EQ(bins.size(), 2u);
  EXPECT_EQ(bins[0].positives.n, 2);
  EXPECT_EQ(bins[1].positives.n, 1);
}

// scikit-learn 1.9: brier_score_loss.
TEST(BrierScore, IsTheMeanSquaredDistance) {
  EXPECT_NEAR(*brier_score(kPositives, kNegatives), 0.13165454545454544, 1e-14);
  EXPECT_EQ(brier_score(std::vector<double>{1}, std::vector<double>{0}), 0.0);
}

TEST(Reliability, OfNothingIsNothing) {
  EXPECT_TRUE(reliability_bins({}, {}).empty());
  EXPECT_FALSE(expected_calibration_error({}).has_value());
  EXPECT_FALSE(brier_score({}, {}).has_value());
}

}  // namespace
}  // namespace hrt
