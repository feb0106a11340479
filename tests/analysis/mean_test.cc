#include "hrt/analysis/mean.h"

#include <gtest/gtest.h>

#include <vector>

#include "hrt/analysis/proportion.h"
#include "hrt/base/random.h"

namespace hrt {
namespace {

// scipy 1.17: stats.t.ppf(0.975, degrees).
TEST(StudentT, QuantilesOfOddAndEvenDegrees) {
  EXPECT_NEAR(student_t_quantile(1), 12.706204736174694, 1e-9);
  EXPECT_NEAR(student_t_quantile(2), 4.302652729749462, 1e-10);
  EXPECT_NEAR(student_t_quantile(3), 3.1824463052837078, 1e-10);
  EXPECT_NEAR(student_t_quantile(4), 2.7764451051977934, 1e-10);
  EXPECT_NEAR(student_t_quantile(7), 2.364624251592784, 1e-10);
  EXPECT_NEAR(student_t_quantile(30), 2.0422724563012378, 1e-10);
  EXPECT_NEAR(student_t_quantile(101), 1.983731002955606, 1e-10);
  EXPECT_NEAR(student_t_quantile(1000), 1.9623390808264083, 1e-10);
}

// numpy 2 and scipy 1.17: stats.t.interval(0.95, 4, mean, deviation / sqrt(5)).
TEST(Mean, IntervalIsStudents) {
  const auto mean = mean_of(std::vector<double>{2.5, -1, 3, 0.25, 4});
  EXPECT_EQ(mean->n, 5);
  EXPECT_DOUBLE_EQ(mean->value, 1.75);
  EXPECT_NEAR(*mean->deviation, 2.0615528128088303, 1e-14);
  EXPECT_NEAR(mean->interval->low, -0.8097559080604282, 1e-10);
  EXPECT_NEAR(mean->interval->high, 4.309755908060428, 1e-10);
}

TEST(Mean, OfOneValueHasNoSpreadAndOfNoneIsNothing) {
  EXPECT_EQ(mean_of(std::vector<double>{3})->value, 3);
  EXPECT_FALSE(mean_of(std::vector<double>{3})->interval.has_value());
  EXPECT_FALSE(mean_of({}).has_value());
}

TEST(Mean, IntervalCoversAtItsRate) {
  Random random(3);
  Proportion covered;
  for (int trial = 0; trial < 4000; ++trial) {
    std::vector<double> sample;
    for (int i = 0; i < 6; ++i) sample.push_back(5 + 2 * random.normal());
    covered.add(mean_of(sample)->interval->contains(5));
  }
  EXPECT_NEAR(*covered.rate(), 0.95, 0.012);
}

}  // namespace
}  // namespace hrt
