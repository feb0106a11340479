#include "hrt/analysis/roc.h"

#include <gmock/gmock.h>

#include <cmath>

#include "hrt/base/error.h"

namespace hrt {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<double> kPositives{0.9, 0.8, 0.8, 0.4, 0.3, 0.7};
const std::vector<double> kNegatives{0.1, 0.4, 0.35, 0.8, 0.2};

// scikit-learn 1.9: roc_curve(y, scores, drop_intermediate=False).
TEST(RocCurve, HasAPointForEachDistinctScore) {
  const std::vector<double> false_rates{0, 0, 0.2, 0.2, 0.4, 0.6, 0.6, 0.8, 1};
  const std::vector<double> true_rates{0, 1.0 / 6, 0.5, 4.0 / 6, 5.0 / 6, 5.0 / 6, 1, 1, 1};
  const auto curve = roc_curve(kPositives, kNegatives);
  ASSERT_EQ(curve.size(), false_rates.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    EXPECT_DOUBLE_EQ(curve[i].false_positive_rate, false_rates[i]) << i;
    EXPECT_DOUBLE_EQ(curve[i].true_positive_rate, true_rates[i]) << i;
  }
  EXPECT_EQ(curve.front().threshold, 0.9);
  EXPECT_FALSE(curve.back().threshold.has_value());
}

TEST(RocCurve, PointsAreWhatTheirThresholdsGive) {
  for (const RocPoint& point : roc_curve(kPositives, kNegatives)) {
    if (!point.threshold) continue;
    const OperatingPoint at = operating_point(kPositives, kNegatives, *point.threshold);
    EXPECT_EQ(at.true_positives.rate(), point.true_positive_rate);
    EXPECT_EQ(at.false_positives.rate(), point.false_positive_rate);
  }
}

TEST(RocCurve, OfAnEmptyGroupIsEmpty) {
  EXPECT_THAT(roc_curve({}, kNegatives), IsEmpty());
  EXPECT_THAT(roc_curve(kPositives, {}), IsEmpty());
}

TEST(OperatingPoint, AScoreAtTheThresholdIsNegative) {
  EXPECT_EQ(operating_point(std::vector<double>{0, 0.1}, std::vector<double>{0}, 0).true_positives.count, 1);
  EXPECT_EQ(operating_point(std::vector<double>{0, 0.1}, std::vector<double>{0}, 0).false_positives.count, 0);
}

TEST(TprAtFpr, AllowsAsManyFalseAlarmsAsTheRate) {
  std::vector<double> negatives;
  for (int i = 0; i < 100; ++i) negatives.push_back(i);
  const std::vector<double> positives{98.5, 97, 99, 200};
  const auto result = tpr_at_fpr(positives, negatives, 0.01);
  ASSERT_TRUE(result.point.has_value());
  EXPECT_EQ(result.point->threshold, 98);
  EXPECT_EQ(result.point->false_positives.count, 1);
  EXPECT_EQ(result.point->true_positives.count, 3);
  EXPECT_EQ(tpr_at_fpr(positives, negatives, 0.07).point->false_positives.count, 7);
}

TEST(TprAtFpr, TiesNeverRaiseTheRate) {
  std::vector<double> negatives(100, 1.0);
  negatives[0] = 0;
  const auto result = tpr_at_fpr(std::vector<double>{1, 2}, negatives, 0.05);
  EXPECT_EQ(result.point->false_positives.count, 0);
  EXPECT_EQ(result.point->true_positives.count, 1);
}

TEST(TprAtFpr, SaysWhyItCannotTell) {
  const auto result = tpr_at_fpr(kPositives, std::vector<double>(999, 0.0), 0.001);
  EXPECT_FALSE(result.point.has_value());
  EXPECT_EQ(result.reason, "a false-positive rate of 0.001 needs at least 1000 negatives, there are 999");
  EXPECT_TRUE(tpr_at_fpr(kPositives, std::vector<double>(1000, 0.0), 0.001).point.has_value());
  EXPECT_THAT(tpr_at_fpr({}, std::vector<double>(100, 0.0), 0.01).reason, HasSubstr("no positives"));
}

TEST(TprAtFpr, RefusesNaN) {
  EXPECT_THROW(tpr_at_fpr(kPositives, std::vector<double>(100, NAN), 0.01), RunError);
}

}  // namespace
}  // namespace hrt
