#include "hrt/analysis/paired_outcomes.h"

#include <gtest/gtest.h>

namespace hrt {
namespace {

double p_value(std::int64_t only_first, std::int64_t only_second) {
  return mcnemar_p({3, only_first, only_second, 4});
}

// statsmodels 0.15: mcnemar([[3, b], [c, 4]], exact=True).
TEST(McNemar, IsTheExactTwoSidedBinomial) {
  EXPECT_NEAR(p_value(1, 0), 1.0, 1e-12);
  EXPECT_NEAR(p_value(2, 9), 0.0654296875, 1e-12);
  EXPECT_NEAR(p_value(10, 1), 0.01171875, 1e-12);
  EXPECT_NEAR(p_value(100, 60), 0.001953728034064355, 1e-12);
}

TEST(McNemar, NeverExceedsOne) {
  EXPECT_EQ(p_value(5, 5), 1.0);
  EXPECT_EQ(p_value(0, 0), 1.0);
}

TEST(McNemar, IsSymmetricAndBlindToPairsThatAgree) {
  EXPECT_EQ(p_value(3, 8), p_value(8, 3));
  EXPECT_EQ(mcnemar_p({0, 3, 8, 0}), mcnemar_p({500, 3, 8, 70}));
}

TEST(McNemar, HoldsForThousandsOfPairs) {
  EXPECT_GT(p_value(5000, 5000), 0.99);
  EXPECT_LT(p_value(4000, 6000), 1e-80);
}

TEST(PairedOutcomes, CountsEachKindOfPair) {
  PairedOutcomes pairs;
  pairs.add(true, true);
  pairs.add(true, false);
  pairs.add(true, false);
  pairs.add(false, true);
  pairs.add(false, false);
  EXPECT_EQ(pairs.both, 1);
  EXPECT_EQ(pairs.only_first, 2);
  EXPECT_EQ(pairs.only_second, 1);
  EXPECT_EQ(pairs.neither, 1);
  EXPECT_EQ(pairs.n(), 5);
}

}  // namespace
}  // namespace hrt
