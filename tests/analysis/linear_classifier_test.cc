#include "hrt/analysis/linear_classifier.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "test_tensors.h"

namespace hrt {
namespace {

// [8 items, 3 features]
const at::Tensor kItems =
    tensor_of({1, 2, 0.5, 2, 1, 1, 1.5, 2, -1, -1, 3, 2, 0, -2, 1, 1, 0, 4, 0.5, -1, 3, 2, 2, 2}, {8, 3});
const std::vector<bool> kPositive{true, true, true, false, false, false, false, true};

void expect_classifier(const LinearClassifier& classifier, const std::vector<double>& weights,
                       double intercept) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_NEAR(classifier.weights[static_cast<std::int64_t>(i)].item<double>(), weights[i], 1e-8) << i;
  }
  EXPECT_NEAR(classifier.intercept, intercept, 1e-8);
}

// scikit-learn 1.9: LogisticRegression(C=1 / l2, solver="newton-cholesky", tol=1e-12), StandardScaler before
// it.
TEST(Logistic, AgreesWithScikitLearn) {
  expect_classifier(*fit_logistic(kItems, kPositive, {.l2 = 1, .standardize = false}),
                    {1.0309404385028313, 0.534319467908921, -0.7309312846150423}, -0.1980165009423294);
  expect_classifier(*fit_logistic(kItems, kPositive, {.l2 = 4, .standardize = false}),
                    {0.4703400453617596, 0.3294982853863633, -0.40683604121790135}, -0.06182475988421143);
  expect_classifier(*fit_logistic(kItems, kPositive),
                    {1.0871309963503826, 0.3884999722306262, -0.5304576039513736}, -0.42887977148167966);
}

TEST(Logistic, AgreesWithScikitLearnOnMoreFeaturesThanItems) {
  const std::vector<bool> positive{true, false, true};
  expect_classifier(*fit_logistic(kItems.t(), positive, {.l2 = 1, .standardize = false}),
                    {-0.17454043699045102, 0.11031281435000685, -0.18361165245589178, -0.4840696724936568,
                     0.34908087398090204, 0.28158647472452464, 0.3367428818995281, 0},
                    1.3828545261969623);
  // The last feature does not vary: it gets no weight.
  expect_classifier(*fit_logistic(kItems.t(), positive),
                    {-0.6254900333993543, 0.6059382471461578, -0.16520099950690356, -0.21150250226562356,
                     0.31274501669967725, 0.1468504931246197, 0.18057351299535804, 0},
                    1.0732052522707618);
}

TEST(Logistic, DoesNotSeeUnitsWhenStandardized) {
  const at::Tensor units = tensor_of({1000, 0.001, 1}, {3});
  const auto scores = fit_logistic(kItems, kPositive)->scores(kItems);
  const auto scaled = fit_logistic(kItems * units + 5, kPositive)->scores(kItems * units + 5);
  for (std::size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(scores[i], scaled[i], 1e-7);
}

TEST(Logistic, IgnoresAFeatureThatOnlyRounds) {
  const at::Tensor constant = at::full({8, 1}, 0.1, at::kDouble);
  const auto plain = fit_logistic(kItems, kPositive)->scores(kItems);
  const at::Tensor padded = at::cat({kItems, constant}, 1);
  const auto scores = fit_logistic(padded, kPositive)->scores(padded);
  for (std::size_t i = 0; i < scores.size(); ++i) EXPECT_NEAR(plain[i], scores[i], 1e-8);
}

TEST(Logistic, ConvergesWhereClassesAreFarApart) {
  const at::Tensor items = tensor_of({-1000, -999, 999, 1000}, {4, 1});
  const auto classifier = fit_logistic(items, {false, false, true, true}, {.l2 = 1e-6, .standardize = false});
  EXPECT_GT(classifier->scores(items)[3], 0);
  EXPECT_LT(classifier->scores(items)[0], 0);
  EXPECT_NEAR(classifier->intercept, 0, 1e-4);  // the loss is flat there
}

TEST(Logistic, ReadsHalfPrecision) {
  const auto exact = fit_logistic(kItems, kPositive);
  const auto half =
      fit_logistic(kItems.to(at::kHalf), kPositive);  // these values are exact in half precision
  EXPECT_TRUE(half->weights.equal(exact->weights));
}

TEST(DifferenceOfMeans, CutsHalfWayBetweenTheMeans) {
  const at::Tensor items = tensor_of({0, 0, 0, 2, 4, 0, 4, 2}, {4, 2});
  const auto classifier = fit_difference_of_means(items, {false, false, true, true});
  expect_classifier(*classifier, {1, 0}, -2);
  const std::vector<double> expected{-2, -2, 2, 2};
  EXPECT_EQ(classifier->scores(items), expected);
}

TEST(DifferenceOfMeans, OfEqualMeansCallsNothingPositive) {
  const at::Tensor items = tensor_of({0, 2, 1, 1}, {4, 1});
  const auto classifier = fit_difference_of_means(items, {false, false, true, true});
  for (const double score : classifier->scores(items)) EXPECT_EQ(score, 0);
}

TEST(LinearClassifiers, NeedBothClasses) {
  const std::vector<bool> all(8, true);
  const std::vector<bool> none(8, false);
  EXPECT_FALSE(fit_logistic(kItems, all).has_value());
  EXPECT_FALSE(fit_logistic(kItems, none).has_value());
  EXPECT_FALSE(fit_difference_of_means(kItems, all).has_value());
  EXPECT_FALSE(fit_difference_of_means(kItems.narrow(0, 0, 0), {}).has_value());
}

}  // namespace
}  // namespace hrt
