#include "hrt/analysis/plane.h"

#include <gtest/gtest.h>

#include <cmath>

#include "hrt/analysis/proportion.h"

namespace hrt {
namespace {

const std::vector<double> kX{1, 2, 3, 4, 7};
const std::vector<double> kY{2, 1, 4, 3, 6};

// numpy 2: the covariance of a resample's mean is cov(x, y, bias=True) / n; half axes and angle by eigh.
TEST(PlaneCentre, EllipseIsThatOfTheMean) {
  const auto centre = plane_centre(kX, kY, Resampler(5, 1), 40000);
  EXPECT_EQ(centre->n, 5);
  EXPECT_DOUBLE_EQ(centre->x, 3.4);
  EXPECT_DOUBLE_EQ(centre->y, 3.2);
  EXPECT_NEAR(centre->ellipse->major, 2.851381255515147, 0.03);
  EXPECT_NEAR(centre->ellipse->minor, 0.7052190323100755, 0.01);
  EXPECT_NEAR(centre->ellipse->angle, -2.4573553043814966 + M_PI, 0.01);
}

TEST(PlaneCentre, OfPointsOnALineHasAFlatEllipse) {
  const std::vector<double> x{0, 1, 2, 3};
  const std::vector<double> y{0, -1, -2, -3};
  const auto centre = plane_centre(x, y, Resampler(4, 1));
  EXPECT_NEAR(centre->ellipse->minor, 0, 1e-6);
  EXPECT_NEAR(centre->ellipse->angle, -M_PI / 4, 1e-9);
}

TEST(PlaneCentre, OfOnePointHasNoEllipse) {
  const std::vector<double> one{2};
  EXPECT_FALSE(plane_centre(one, one, Resampler(1, 1))->ellipse.has_value());
  EXPECT_FALSE(plane_centre({}, {}, Resampler(0, 1)).has_value());
}

bool is_inside(const PlaneCentre& centre, double x, double y) {
  const Ellipse& ellipse = *centre.ellipse;
  const double along = (x - centre.x) * std::cos(ellipse.angle) + (y - centre.y) * std::sin(ellipse.angle);
  const double across = (y - centre.y) * std::cos(ellipse.angle) - (x - centre.x) * std::sin(ellipse.angle);
  return std::pow(along / ellipse.major, 2) + std::pow(across / ellipse.minor, 2) <= 1;
}

TEST(PlaneCentre, EllipseCoversAtItsRate) {
  Random random(15);
  Proportion covered;
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<double> x;
    std::vector<double> y;
    for (int i = 0; i < 80; ++i) {
      x.push_back(random.normal());
      y.push_back(0.6 * x.back() + random.normal());
    }
    covered.add(is_inside(*plane_centre(x, y, Resampler(80, random.next()), 300), 0, 0));
  }
  EXPECT_GT(*covered.rate(), 0.91);
  EXPECT_LT(*covered.rate(), 0.98);
}

}  // namespace
}  // namespace hrt
