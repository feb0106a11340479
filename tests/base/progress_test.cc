#include "hrt/base/progress.h"

#include <gmock/gmock.h>

#include <cmath>

namespace hrt {
namespace {

using ::testing::DoubleNear;
using ::testing::Optional;

TEST(TimeLeft, IsExactAtASteadyPace) {
  TimeLeft left;
  for (int t = 0; t <= 40; ++t) left.update(t, t / 100.0);
  EXPECT_THAT(left.seconds(), Optional(DoubleNear(60, 1e-9)));
}

TEST(TimeLeft, KeepsSilentAtFirst) {
  TimeLeft left;
  EXPECT_EQ(left.seconds(), std::nullopt);
  left.update(1, 0.5);
  EXPECT_EQ(left.seconds(), std::nullopt);
  left.update(10, 0.5);
  EXPECT_NE(left.seconds(), std::nullopt);
}

TEST(TimeLeft, WhatAnEarlierProcessDidIsNoPace) {
  TimeLeft left;
  left.update(0.01, 0.5);
  for (int t = 1; t <= 30; ++t) left.update(t, 0.5 + t / 1000.0);
  EXPECT_THAT(left.seconds(), Optional(DoubleNear(470, 10)));
}

TEST(TimeLeft, FollowsAPhaseOfAnotherSpeedWithoutAJump) {
  TimeLeft left;  // 20 s at 2 % a second, then 0.2 %
  double share = 0;
  double told = 0;
  for (int t = 1; t <= 100; ++t) {
    share += t <= 20 ? 0.02 : 0.002;
    left.update(t, share);
    const double now = left.seconds().value_or(0);
    if (t > 5) {
      EXPECT_LT(std::abs(now - told), 25) << t;
    }
    told = now;
  }
  const double truth = (1 - share) / 0.002;
  EXPECT_GT(told, 0.75 * truth);
  EXPECT_GT(told, 1.5 * (1 - share) / (share / 100));  // the mean pace would still say less than half of it
}

}  // namespace
}  // namespace hrt
