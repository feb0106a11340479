#include "hrt/analysis/bootstrap.h"

#include <gmock/gmock.h>

#include <numeric>

#include "hrt/analysis/proportion.h"

namespace hrt {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;

std::vector<std::int64_t> copy(std::span<const std::int64_t> values) {
  return {values.begin(), values.end()};
}

Statistic mean_over(const std::vector<double>& values) {
  return [&values](std::span<const std::int64_t> items) -> std::optional<double> {
    double sum = 0;
    for (const std::int64_t i : items) sum += values[static_cast<std::size_t>(i)];
    return sum / static_cast<double>(items.size());
  };
}

TEST(Resampler, RepeatsWithItsSeed) {
  Resampler a(50, 7);
  Resampler b(50, 7);
  Resampler c(50, 8);
  const auto first = copy(a.draw());
  EXPECT_EQ(first, copy(b.draw()));
  EXPECT_NE(first, copy(c.draw()));
  EXPECT_NE(first, copy(a.draw()));
  EXPECT_THAT(first, testing::SizeIs(50));
}

TEST(Resampler, DrawsGroupsWhole) {
  const std::vector<std::int64_t> groups{4, 9, 4, 9, 4};
  Resampler resampler(groups, 1);
  EXPECT_EQ(resampler.units(), 2);
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(copy(resampler.draw()), AnyOf(ElementsAre(0, 2, 4, 0, 2, 4), ElementsAre(0, 2, 4, 1, 3),
                                              ElementsAre(1, 3, 0, 2, 4), ElementsAre(1, 3, 1, 3)));
  }
}

// numpy 2: percentile(values, [2.5, 97.5]).
TEST(PercentileInterval, InterpolatesBetweenNeighbours) {
  const auto interval = percentile_interval({3, 1, 4, 1, 5, 9, 2, 6});
  EXPECT_NEAR(interval->low, 1.0, 1e-12);
  EXPECT_NEAR(interval->high, 8.475, 1e-12);
  EXPECT_EQ(percentile_interval({2}), (Interval{2, 2}));
  EXPECT_EQ(percentile_interval({}), std::nullopt);
}

TEST(BootstrapInterval, NeedsTwoUnits) {
  const std::vector<double> values{1, 2, 3};
  EXPECT_FALSE(bootstrap_interval(Resampler(1, 1), mean_over(values)).has_value());
  EXPECT_FALSE(
      bootstrap_interval(Resampler(std::vector<std::int64_t>{5, 5, 5}, 1), mean_over(values)).has_value());
  EXPECT_FALSE(bootstrap_interval(Resampler(0, 1), mean_over(values)).has_value());
}

TEST(BootstrapInterval, LeavesOutResamplesWithoutAValue) {
  const Statistic only_mixed = [](std::span<const std::int64_t> items) -> std::optional<double> {
    if (items[0] == items[1]) return std::nullopt;
    return 1.0;
  };
  EXPECT_EQ(bootstrap_interval(Resampler(2, 1), only_mixed), (Interval{1, 1}));
  const Statistic never = [](std::span<const std::int64_t>) { return std::optional<double>(); };
  EXPECT_FALSE(bootstrap_interval(Resampler(2, 1), never).has_value());
}

TEST(BootstrapInterval, CoversAtItsRate) {
  Random random(4);
  Proportion covered;
  for (int trial = 0; trial < 600; ++trial) {
    std::vector<double> sample;
    for (int i = 0; i < 60; ++i) sample.push_back(random.normal());
    const auto interval = bootstrap_interval(Resampler(60, random.next()), mean_over(sample), 400);
    covered.add(interval->contains(0));
  }
  EXPECT_GT(*covered.rate(), 0.915);
  EXPECT_LT(*covered.rate(), 0.975);
}

// Ten groups of six values that share most of their noise: drawn one by one, they look like sixty.
TEST(BootstrapInterval, CoversCorrelatedItemsOnlyByGroup) {
  Random random(5);
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < 60; ++i) groups.push_back(i / 6);
  Proportion by_group;
  Proportion by_item;
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> sample;
    double shared = 0;
    for (int i = 0; i < 60; ++i) {
      if (i % 6 == 0) shared = random.normal();
      sample.push_back(shared + 0.2 * random.normal());
    }
    const std::uint64_t seed = random.next();
    by_group.add(bootstrap_interval(Resampler(groups, seed), mean_over(sample), 300)->contains(0));
    by_item.add(bootstrap_interval(Resampler(60, seed), mean_over(sample), 300)->contains(0));
  }
  EXPECT_GT(*by_group.rate(), 0.85);  // ten units: the percentile bootstrap is a little too narrow
  EXPECT_LT(*by_item.rate(), 0.7);
}

}  // namespace
}  // namespace hrt
