#include "hrt/analysis/direction_band.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full_like.h>
#include <gmock/gmock.h>

#include "hrt/analysis/proportion.h"
#include "test_tensors.h"

namespace hrt {
namespace {

constexpr Side kP = Side::kPlus;
constexpr Side kM = Side::kMinus;
constexpr Side kN = Side::kNeither;

// [6 prompts, 2 rows, 2]
const Contrast kFirst{
    tensor_of({0, 1, 4, 2, 2, 4, 1, 0, 1, 4, 2, 2, 4, 1, 0, 1, 4, 2, 2, 4, 1, 0, 1, 4}, {6, 2, 2}),
    {kP, kP, kP, kM, kM, kN}};
const Contrast kSecond{
    tensor_of({0, 1, 8, 5, 9, 4, 7, 2, 6, 3, 10, 0, 1, 8, 5, 9, 4, 7, 2, 6, 3, 10, 0, 1}, {6, 2, 2}),
    {kP, kM, kM, kP, kN, kM}};

// numpy 2: the cosine of the two differences of means.
TEST(DirectionCosineBand, IsAroundTheCosineOfTheDirections) {
  const auto bands = direction_cosine_band(kFirst, kSecond, Resampler(6, 1));
  ASSERT_EQ(bands.size(), 2u);
  EXPECT_NEAR(*bands[0].cosine, 0.7821605, 1e-7);
  EXPECT_NEAR(*bands[1].cosine, -0.54871298, 1e-7);
  for (const CosineBand& band : bands) {
    EXPECT_GE(band.interval->low, -1 - 1e-12);
    EXPECT_LE(band.interval->high, 1 + 1e-12);
    EXPECT_LT(band.interval->low, band.interval->high);
  }
}

TEST(DirectionCosineBand, OfADirectionWithItselfIsOne) {
  for (const CosineBand& band : direction_cosine_band(kFirst, kFirst, Resampler(6, 1))) {
    EXPECT_NEAR(*band.cosine, 1, 1e-12);
    EXPECT_NEAR(band.interval->low, 1, 1e-12);
  }
}

TEST(DirectionCosineBand, IsNothingWhereADirectionIsZero) {
  const Contrast equal{at::full_like(kFirst.activations, 0.1), kFirst.sides};
  const auto bands = direction_cosine_band(equal, kSecond, Resampler(6, 1));
  EXPECT_FALSE(bands[0].cosine.has_value());
  EXPECT_FALSE(bands[0].interval.has_value());
  const Contrast one_sided{kFirst.activations, std::vector<Side>(6, kP)};
  EXPECT_FALSE(direction_cosine_band(one_sided, kSecond, Resampler(6, 1))[1].cosine.has_value());
}

TEST(DirectionCosineBand, OfOneUnitHasNoInterval) {
  const auto bands = direction_cosine_band(kFirst, kSecond, Resampler(std::vector<std::int64_t>(6, 4), 1));
  EXPECT_TRUE(bands[0].cosine.has_value());
  EXPECT_FALSE(bands[0].interval.has_value());
}

// Directions (3, 0) and (3, 3) under noise, at an angle of 45 degrees.
TEST(DirectionCosineBand, CoversAtItsRate) {
  Random random(19);
  const std::vector<double> shifts{3, 0, 3, 3};
  Proportion covered;
  for (int trial = 0; trial < 300; ++trial) {
    Contrast contrasts[2];
    for (std::size_t c = 0; c < 2; ++c) {
      contrasts[c].activations = normal_tensor({40, 1, 2}, random);
      for (std::int64_t i = 0; i < 40; ++i) {
        contrasts[c].sides.push_back(i % 2 == 0 ? kP : kM);
        if (i % 2 == 0) contrasts[c].activations[i] += tensor_of({shifts[2 * c], shifts[2 * c + 1]}, {1, 2});
      }
    }
    const auto bands = direction_cosine_band(contrasts[0], contrasts[1], Resampler(40, random.next()), 300);
    covered.add(bands[0].interval->contains(0.7071067811865475));
  }
  EXPECT_GT(*covered.rate(), 0.91);
  EXPECT_LT(*covered.rate(), 0.98);
}

}  // namespace
}  // namespace hrt
