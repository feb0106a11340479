#include "hrt/analysis/auroc.h"

#include <gtest/gtest.h>

#include <vector>

#include "hrt/analysis/proportion.h"
#include "hrt/base/random.h"

namespace hrt {
namespace {

const std::vector<double> kPositives{0.9, 0.8, 0.8, 0.4, 0.3, 0.7};
const std::vector<double> kNegatives{0.1, 0.4, 0.35, 0.8, 0.2};

// scikit-learn 1.9 roc_auc_score; the limits by scipy's brentq on Newcombe's equation.
TEST(Auroc, CountsTiesAsHalf) {
  const auto area = auroc(kPositives, kNegatives);
  EXPECT_NEAR(area->value, 0.7833333333333333, 1e-15);
  EXPECT_NEAR(area->interval.low, 0.42964143023947243, 1e-9);
  EXPECT_NEAR(area->interval.high, 0.9403659041902178, 1e-9);
  EXPECT_EQ(area->positives, 6);
  EXPECT_EQ(area->negatives, 5);
}

TEST(Auroc, OfSwappedGroupsIsTheComplement) {
  const auto area = auroc(kPositives, kNegatives);
  const auto swapped = auroc(kNegatives, kPositives);
  EXPECT_NEAR(swapped->value, 1 - area->value, 1e-15);
  EXPECT_NEAR(swapped->interval.low, 1 - area->interval.high, 1e-9);
  EXPECT_NEAR(swapped->interval.high, 1 - area->interval.low, 1e-9);
}

TEST(Auroc, KeepsAWidthWhereGroupsAreSeparated) {
  const std::vector<double> high(10, 1.0);
  const std::vector<double> low(10, 0.0);
  const auto area = auroc(high, low);
  EXPECT_EQ(area->value, 1.0);
  EXPECT_EQ(area->interval.high, 1.0);
  EXPECT_NEAR(area->interval.low, 0.8002136128811059, 1e-9);
}

TEST(Auroc, OfEqualScoresIsAHalf) {
  const auto area = auroc(std::vector<double>(3, 0.0), std::vector<double>(8, 0.0));
  EXPECT_EQ(area->value, 0.5);
  EXPECT_NEAR(area->interval.low, 0.1940446998934166, 1e-9);
  EXPECT_NEAR(area->interval.high, 0.8059553001065834, 1e-9);
}

TEST(Auroc, NeedsBothGroups) {
  EXPECT_FALSE(auroc({}, kNegatives).has_value());
  EXPECT_FALSE(auroc(kPositives, {}).has_value());
}

// Normal groups `shift` apart have the area Phi(shift / sqrt 2).
TEST(Auroc, IntervalCoversAtItsRate) {
  struct Case {
    double shift, area;
    int positives, negatives;
  };
  Random random(2);
  for (const Case& c :
       {Case{0, 0.5, 20, 20}, Case{1, 0.7602499389065233, 15, 40}, Case{2.5, 0.9614500641282292, 30, 30}}) {
    Proportion covered;
    for (int trial = 0; trial < 2000; ++trial) {
      std::vector<double> positives;
      std::vector<double> negatives;
      for (int i = 0; i < c.positives; ++i) positives.push_back(c.shift + random.normal());
      for (int i = 0; i < c.negatives; ++i) negatives.push_back(random.normal());
      covered.add(auroc(positives, negatives)->interval.contains(c.area));
    }
    EXPECT_GT(*covered.rate(), 0.93) << c.shift;
    EXPECT_LT(*covered.rate(), 0.98) << c.shift;
  }
}

}  // namespace
}  // namespace hrt
