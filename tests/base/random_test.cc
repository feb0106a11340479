#include "hrt/base/random.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Random, IsSplitMix64) {
  // The reference implementation's first numbers (Vigna, splitmix64.c) from state 1234567.
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
}

TEST(Random, BelowIsUniform) {
  Random random(1);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts[random.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);  // four standard deviations
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(2);
  constexpr int kDraws = 100'000;
  double uniform = 0;
  double normal = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_TRUE(u >= 0 && u < 1);
    uniform += u;
    const double n = random.normal();
    normal += n;
    squares += n * n;
  }
  EXPECT_NEAR(uniform / kDraws, 0.5, 0.004);
  EXPECT_NEAR(normal / kDraws, 0.0, 0.013);
  EXPECT_NEAR(squares / kDraws, 1.0, 0.018);
}

TEST(SampleIndices, AreDistinctAscendingAndSeeded) {
  const auto sample = sample_indices(1000, 50, 3);
  EXPECT_EQ(sample.size(), 50U);
  EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
  EXPECT_EQ(std::set(sample.begin(), sample.end()).size(), 50U);
  EXPECT_GE(sample.front(), 0);
  EXPECT_LT(sample.back(), 1000);
  EXPECT_EQ(sample, sample_indices(1000, 50, 3));
  EXPECT_NE(sample, sample_indices(1000, 50, 4));
}

TEST(SampleIndices, AtTheEdges) {
  EXPECT_THAT(sample_indices(3, 3, 0), ElementsAre(0, 1, 2));
  EXPECT_THAT(sample_indices(3, 9, 0), ElementsAre(0, 1, 2));
  EXPECT_THAT(sample_indices(3, 0, 0), IsEmpty());
  EXPECT_THAT(sample_indices(0, 3, 0), IsEmpty());
}

TEST(SampleIndices, DrawEveryIndexEquallyOften) {
  std::vector<int> counts(10);
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    for (const std::int64_t i : sample_indices(10, 3, seed)) ++counts[static_cast<std::size_t>(i)];
  }
  for (const int count : counts) EXPECT_NEAR(count, 3000, 200);
}

}  // namespace
}  // namespace hrt
