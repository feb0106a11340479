#include "hrt/analysis/proportion.h"

#include <gtest/gtest.h>

#include "hrt/base/random.h"

namespace hrt {
namespace {

void expect_interval(const Proportion& share, double low, double high) {
  EXPECT_NEAR(share.interval()->low, low, 1e-12);
  EXPECT_NEAR(share.interval()->high, high, 1e-12);
}

// statsmodels 0.15: proportion_confint(count, n, method="wilson").
TEST(Proportion, IntervalIsWilsons) {
  expect_interval({3, 10}, 0.10779126740630104, 0.6032218525388546);
  expect_interval({94, 100}, 0.8752318455410406, 0.9722138760368118);
  expect_interval({1, 1}, 0.2065493143772374, 1.0);
}

TEST(Proportion, EndsAreExactAtNoneAndAll) {
  EXPECT_EQ((Proportion{0, 10}.interval()->low), 0.0);
  EXPECT_NEAR((Proportion{0, 10}.interval()->high), 0.27753279986288926, 1e-12);
  EXPECT_EQ((Proportion{10, 10}.interval()->high), 1.0);
  EXPECT_NEAR((Proportion{10, 10}.interval()->low), 0.7224672001371106, 1e-12);
}

TEST(Proportion, OfNothingHasNoRate) {
  EXPECT_EQ(Proportion{}.rate(), std::nullopt);
  EXPECT_EQ(Proportion{}.interval(), std::nullopt);
}

TEST(Proportion, CountsWhatIsAdded) {
  Proportion share;
  share.add(true);
  share.add(false);
  share.add(true);
  EXPECT_EQ(share.count, 2);
  EXPECT_DOUBLE_EQ(*share.rate(), 2.0 / 3);
}

TEST(Proportion, IntervalCoversAtItsRate) {
  Random random(1);
  for (const double truth : {0.05, 0.3, 0.5, 0.9}) {
    Proportion covered;
    for (int trial = 0; trial < 4000; ++trial) {
      Proportion sample;
      for (int i = 0; i < 40; ++i) sample.add(random.uniform() < truth);
      covered.add(sample.interval()->contains(truth));
    }
    EXPECT_GT(*covered.rate(), 0.925) << truth;
    EXPECT_LT(*covered.rate(), 0.98) << truth;
  }
}

}  // namespace
}  // namespace hrt
