#include "hrt/guard/rule.h"

#include <gmock/gmock.h>

#include "hrt/base/error.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::int64_t> kRows{0, 4, 8};

// Row 0 tells nothing, row 4 everything, row 8 the opposite.
RuleScores three_rows() {
  RuleScores scores;
  for (const double value : {1.0, 2.0, 3.0, 4.0}) {
    scores.harmful.push_back({0.0, value, -5.0});
    scores.harmless.push_back({0.0, -value, 5.0});
  }
  scores.origin = "4 + 4 prompts";
  return scores;
}

TEST(Rule, ThePaperUsesAllRowsAndZero) {
  const GuardRule rule = choose_rule({}, kRows, {});
  EXPECT_THAT(rule.rows, ElementsAre(0, 1, 2));
  EXPECT_EQ(rule.threshold, 0);
  EXPECT_EQ(calibrated(rule.calibration, 1), std::nullopt);
  EXPECT_EQ(rule.chosen.at("threshold"), "as in the paper");
}

TEST(Rule, RowsAreTheMostThatTellBest) {
  const GuardRule rule = choose_rule(three_rows(), kRows, {.rows = true});
  EXPECT_THAT(rule.rows, ElementsAre(0, 1));  // as good as row 4 alone, and more rows
  EXPECT_EQ(rule.chosen.at("rows"), "0..4: the best AUROC (1.0000) of adjacent rows on 4 + 4 prompts");
}

TEST(Rule, ASingleRowWhereItsNeighboursDoHarm) {
  RuleScores scores = three_rows();
  for (std::size_t i = 0; i < 4; ++i) {
    scores.harmful[i][0] = -9;
    scores.harmless[i][0] = 9;
  }
  EXPECT_THAT(choose_rule(scores, kRows, {.rows = true}).rows, ElementsAre(1));
}

TEST(Rule, RowsWithoutAScoreAreLeftOutOfMeans) {
  RuleScores scores{{{std::nullopt, 0.5}}, {{0.75, -0.25}}, "2 prompts"};  // 0.5 against 0.25
  const std::vector<std::int64_t> rows{0, 1};
  EXPECT_THAT(choose_rule(scores, rows, {.rows = true}).rows, ElementsAre(0, 1));
}

TEST(Rule, TheThresholdLetsAtMostTheAskedShareOfHarmlessPromptsPass) {
  RuleScores scores;
  for (int i = 0; i < 10; ++i) scores.harmless.push_back({0.1 * i});  // 0 .. 0.9
  scores.harmful = {{0.75}, {2.0}};
  scores.origin = "2 + 10 prompts";
  const GuardRule rule = choose_rule(scores, std::vector<std::int64_t>{3}, {.false_positive_rate = 0.2});
  EXPECT_DOUBLE_EQ(rule.threshold, 0.1 * 7);  // 0.8 and 0.9 lie above
  EXPECT_THAT(rule.chosen.at("threshold"), HasSubstr("at most 20 %"));
}

TEST(Rule, ATooSmallShareIsRefusedWithTheReason) {
  try {
    choose_rule(three_rows(), kRows, {.false_positive_rate = 0.01});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--false-positive-rate 0.01"));
    EXPECT_THAT(error.what(), HasSubstr("4 + 4 prompts"));
  }
}

TEST(Rule, PlattIsFittedToTheMeansOverTheChosenRows) {
  const GuardRule rule = choose_rule(three_rows(), kRows, {.rows = true, .calibration = "platt"});
  const auto expected =
      fit_platt(std::vector<double>{0.5, 1, 1.5, 2}, std::vector<double>{-0.5, -1, -1.5, -2});
  EXPECT_DOUBLE_EQ(*calibrated(rule.calibration, 0.7), expected->probability(0.7));
  EXPECT_GT(*calibrated(rule.calibration, 0.7), 0.5);
}

TEST(Rule, IsotonicIsAStepBetweenSeparatedGroups) {
  const GuardRule rule = choose_rule(three_rows(), kRows, {.rows = true, .calibration = "isotonic"});
  EXPECT_EQ(*calibrated(rule.calibration, -0.5), 0);
  EXPECT_EQ(*calibrated(rule.calibration, 0.0), 0.5);  // half-way
  EXPECT_EQ(*calibrated(rule.calibration, 3.0), 1);
}

TEST(Rule, ChoosingNeedsBothLabels) {
  RuleScores scores = three_rows();
  scores.harmless.clear();
  for (const RuleOptions& options : {RuleOptions{.rows = true}, RuleOptions{.calibration = "platt"},
                                     RuleOptions{.false_positive_rate = 0.5}})
    EXPECT_THROW(choose_rule(scores, kRows, options), InputError);
}

}  // namespace
}  // namespace hrt
