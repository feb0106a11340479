#include "hrt/analysis/correlation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "hrt/analysis/proportion.h"
#include "hrt/base/random.h"

namespace hrt {
namespace {

const std::vector<double> kX{1, 2, 3, 4, 5, 6.5, 2};
const std::vector<double> kY{2, 1, 4, 3, 7, 7, 2.5};

// scipy 1.17: pearsonr(x, y) and its confidence_interval().
TEST(Pearson, AgreesWithScipy) {
  const auto r = pearson(kX, kY);
  EXPECT_NEAR(r->value, 0.8908565301568035, 1e-14);
  EXPECT_NEAR(r->interval->low, 0.4186705968610978, 1e-12);
  EXPECT_NEAR(r->interval->high, 0.9838693929085639, 1e-12);
  EXPECT_EQ(r->n, 7);
}

// scipy 1.17: spearmanr(x, y); the interval is its formula in numpy.
TEST(Spearman, AgreesWithScipyUnderTies) {
  const auto rho = spearman(kX, kY);
  EXPECT_NEAR(rho->value, 0.8909090909090909, 1e-14);
  EXPECT_NEAR(rho->interval->low, 0.26184356368630385, 1e-12);
  EXPECT_NEAR(rho->interval->high, 0.9886848868452344, 1e-12);
}

TEST(Spearman, OnlySeesOrder) {
  std::vector<double> cubes;
  for (const double x : kX) cubes.push_back(x * x * x);
  EXPECT_DOUBLE_EQ(spearman(cubes, kY)->value, spearman(kX, kY)->value);
}

TEST(Correlation, IsNothingWhereNothingVaries) {
  const std::vector<double> constant(7, 0.1);
  EXPECT_FALSE(pearson(constant, kY).has_value());
  EXPECT_FALSE(spearman(kX, constant).has_value());
  EXPECT_FALSE(pearson({}, {}).has_value());
  EXPECT_FALSE(pearson(std::vector<double>{1}, std::vector<double>{2}).has_value());
}

TEST(Correlation, OfALineIsThePointOne) {
  std::vector<double> line;
  for (const double x : kX) line.push_back(3 - 2 * x);
  EXPECT_NEAR(pearson(kX, line)->value, -1, 1e-15);
  EXPECT_NEAR(pearson(kX, line)->interval->high, -1, 1e-6);
  EXPECT_EQ(spearman(kX, kX)->interval, (Interval{1, 1}));
}

TEST(Correlation, OfThreeHasNoInterval) {
  const std::vector<double> x{1, 2, 4};
  const std::vector<double> y{1, 3, 2};
  EXPECT_TRUE(pearson(x, y).has_value());
  EXPECT_FALSE(pearson(x, y)->interval.has_value());
}

// Two normals of correlation r have the rank correlation 6 / pi asin(r / 2).
TEST(Correlation, IntervalsCoverAtTheirRate) {
  Random random(6);
  const double r = 0.7;
  const double rho = 6 / M_PI * std::asin(r / 2);
  Proportion pearson_covered;
  Proportion spearman_covered;
  for (int trial = 0; trial < 3000; ++trial) {
    std::vector<double> x;
    std::vector<double> y;
    for (int i = 0; i < 30; ++i) {
      x.push_back(random.normal());
      y.push_back(r * x.back() + std::sqrt(1 - r * r) * random.normal());
    }
    pearson_covered.add(pearson(x, y)->interval->contains(r));
    spearman_covered.add(spearman(x, y)->interval->contains(rho));
  }
  EXPECT_NEAR(*pearson_covered.rate(), 0.95, 0.015);
  EXPECT_NEAR(*spearman_covered.rate(), 0.95, 0.02);
}

}  // namespace
}  // namespace hrt
