#include "hrt/analysis/calibration.h"

#include <gmock/gmock.h>

#include <cmath>

#include "hrt/analysis/reliability.h"
#include "hrt/base/error.h"
#include "hrt/base/random.h"

namespace hrt {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

const std::vector<double> kPositives{0.05, 0.04, 0.01, -0.01, 0.02, 0.03};
const std::vector<double> kNegatives{-0.03, 0.0, 0.015, -0.02, -0.05};

// scipy 1.17: the smoothed log likelihood minimised by BFGS to a gradient of 1e-13.
TEST(Platt, IsTheSmoothedMaximumLikelihood) {
  const auto fit = fit_platt(kPositives, kNegatives);
  EXPECT_NEAR(fit->slope, 42.93852718828447, 1e-4);
  EXPECT_NEAR(fit->intercept, -0.019327435545775942, 1e-6);
}

TEST(Platt, StaysFiniteWhereScoresSeparate) {
  const auto fit = fit_platt(std::vector<double>{1, 2, 3}, std::vector<double>{-1, -2});
  EXPECT_NEAR(fit->slope, 0.634187339363342, 1e-6);
  EXPECT_NEAR(fit->intercept, 0.03287049836146528, 1e-6);
}

TEST(Platt, OfEqualScoresIsTheShareOfPositives) {
  const auto fit = fit_platt(std::vector<double>{2, 2, 2}, std::vector<double>{2});
  // The mean of the smoothed targets: (3 * 4 / 5 + 1 / 3) / 4.
  EXPECT_NEAR(fit->probability(2), 0.6833333333333333, 1e-9);
}

TEST(Platt, ScalesWithTheScores) {
  std::vector<double> positives;
  std::vector<double> negatives;
  for (const double score : kPositives) positives.push_back(1e6 * score);
  for (const double score : kNegatives) negatives.push_back(1e6 * score);
  const auto fit = fit_platt(positives, negatives);
  for (const double score : kPositives) {
    EXPECT_NEAR(fit->probability(1e6 * score), fit_platt(kPositives, kNegatives)->probability(score), 1e-6);
  }
}

TEST(Platt, ProbabilitiesStayFinite) {
  EXPECT_EQ((PlattCalibration{1e6, 0}.probability(-1e6)), 0);
  EXPECT_EQ((PlattCalibration{1e6, 0}.probability(1e6)), 1);
}

TEST(Platt, RecoversTheCurveThatMadeTheScores) {
  Random random(12);
  std::vector<double> positives;
  std::vector<double> negatives;
  for (int i = 0; i < 20000; ++i) {
    const double score = random.normal();
    (random.uniform() < 1 / (1 + std::exp(-(2 * score - 0.5))) ? positives : negatives).push_back(score);
  }
  const auto fit = fit_platt(positives, negatives);
  EXPECT_NEAR(fit->slope, 2, 0.1);
  EXPECT_NEAR(fit->intercept, -0.5, 0.06);
}

// scikit-learn 1.9: IsotonicRegression(out_of_bounds="clip") of 0 1 0 0 1 0 1 1 1 at 1 2 2 3 4 5 6 7 8.
TEST(Isotonic, AgreesWithScikitLearn) {
  const auto fit = fit_isotonic(std::vector<double>{2, 4, 6, 7, 8}, std::vector<double>{1, 2, 3, 5});
  EXPECT_THAT(fit->scores, ElementsAre(1, 2, 3, 4, 5, 6, 8));
  const std::vector<double> at{0, 1.5, 2, 3.5, 4, 4.5, 5.5, 9};
  const std::vector<double> expected{0, 1.0 / 6, 1.0 / 3, 5.0 / 12, 0.5, 0.5, 0.75, 1};
  for (std::size_t i = 0; i < at.size(); ++i)
    EXPECT_NEAR(fit->probability(at[i]), expected[i], 1e-14) << at[i];
}

TEST(Isotonic, OfScoresTheWrongWayRoundIsConstant) {
  const auto fit = fit_isotonic(std::vector<double>{0, 1}, std::vector<double>{2, 3});
  EXPECT_THAT(fit->scores, ElementsAre(0, 3));
  EXPECT_THAT(fit->probabilities, ElementsAre(0.5, 0.5));
}

TEST(Isotonic, OfOneScoreIsAPoint) {
  const auto fit = fit_isotonic(std::vector<double>{2}, std::vector<double>{2, 2});
  for (const double score : {-1.0, 2.0, 5.0})
    EXPECT_THAT(fit->probability(score), DoubleNear(1.0 / 3, 1e-15));
}

// Pooling keeps sums: on its own data the mean probability is the share of positives.
TEST(Isotonic, IsCalibratedOnItsOwnData) {
  const auto fit = fit_isotonic(kPositives, kNegatives);
  std::vector<double> positives;
  std::vector<double> negatives;
  for (const double score : kPositives) positives.push_back(fit->probability(score));
  for (const double score : kNegatives) negatives.push_back(fit->probability(score));
  EXPECT_NEAR(*expected_calibration_error(reliability_bins(positives, negatives, 1000)), 0, 1e-12);
}

TEST(Calibration, NeedsBothGroupsAndNumbers) {
  EXPECT_FALSE(fit_platt({}, kNegatives).has_value());
  EXPECT_FALSE(fit_isotonic(kPositives, {}).has_value());
  EXPECT_THROW(fit_isotonic(kPositives, std::vector<double>{NAN}), RunError);
}

}  // namespace
}  // namespace hrt
