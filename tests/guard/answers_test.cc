#include "answers.h"

#include <gmock/gmock.h>

#include "hrt/base/error.h"
#include "metrics.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;

ProbePrompt prompt(const std::string& id, Label label, Outcome outcome = Outcome::kUnknown,
                   const std::string& role = "role") {
  return {id, label, outcome, "text of " + id, {{"role", role}}};
}

const std::vector<ProbePrompt> kPrompts{prompt("a", Label::kHarmful), prompt("b", Label::kHarmless),
                                        prompt("7", Label::kHarmless), prompt("d", Label::kNone)};

class Answers : public ::testing::Test {
 protected:
  GuardAnswers read(const std::string& lines) const {
    return read_answers("other", folder_.write("v.jsonl", lines), kPrompts);
  }
  std::string refusal(const std::string& lines) const {
    try {
      read(lines);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  const TemporaryFolder folder_;
};

TEST_F(Answers, VerdictsAndScoresOfOthersComeByLine) {
  const GuardAnswers answers = read(R"({"id": "b", "verdict": "harmful"}
{"id": "a", "score": 0.5, "category": "S1"}

{"id": 7, "verdict": "harmless", "delta_harmful": 2}
{"id": "elsewhere", "verdict": "harmful"}
)");
  EXPECT_THAT(answers.harmful, ElementsAre(Optional(true), Optional(true), Optional(false), std::nullopt));
  EXPECT_THAT(answers.scores, ElementsAre(Optional(0.5), std::nullopt, Optional(2.0), std::nullopt));
}

TEST_F(Answers, BrokenLinesOfOthersAreNamed) {
  EXPECT_THAT(refusal("{\"id\": \"a\", \"verdict\": \"unsafe\"}"), HasSubstr("v.jsonl:1: /verdict"));
  EXPECT_THAT(refusal("\n{\"id\": \"a\"}"), HasSubstr("v.jsonl:2: /verdict: expected a verdict or a score"));
  EXPECT_THAT(refusal("{\"id\": \"a\", \"score\": 1}\n{\"id\": \"a\", \"score\": 1}"),
              HasSubstr("v.jsonl:2: /id"));
  EXPECT_THAT(refusal("{\"id\": \"x\", \"score\": 1}"), HasSubstr("no line is about one of these"));
  EXPECT_THAT(refusal("{"), HasSubstr("v.jsonl:1"));
}

TEST_F(Answers, AModelThatWasAskedHasItsVerdictsAndItsFirstTokensAsScores) {
  folder_.write("run/replies.jsonl",
                R"({"id": "a", "verdict": "yes", "first_token_answer": "yes", "yes": 0.75, "no": 0.25}
{"id": "b", "verdict": "no", "first_token_answer": "no", "yes": 0.125, "no": 0.5}
{"id": "7", "verdict": "other", "first_token_answer": "other", "yes": 0, "no": 0}
)");
  const GuardAnswers answers = read_answers("asked", folder_ / "run", kPrompts);
  EXPECT_THAT(answers.harmful, ElementsAre(Optional(true), Optional(false), std::nullopt, std::nullopt));
  EXPECT_THAT(answers.scores, ElementsAre(Optional(0.5), Optional(-0.375), std::nullopt, std::nullopt));
}

TEST_F(Answers, RepliesThatBeginOtherwiseHaveNoScores) {
  folder_.write("run/replies.jsonl",
                R"({"id": "a", "verdict": "yes", "first_token_answer": "other", "yes": 0, "no": 0}
{"id": "b", "verdict": "no", "first_token_answer": "no", "yes": 0.125, "no": 0.5}
)");
  const GuardAnswers answers = read_answers("asked", folder_ / "run", kPrompts);
  EXPECT_THAT(answers.harmful, ElementsAre(Optional(true), Optional(false), std::nullopt, std::nullopt));
  EXPECT_THAT(answers.scores, Each(Eq(std::nullopt)));
}

TEST_F(Answers, PlainRepliesAreNoAnswers) {
  folder_.write("run/replies.jsonl", R"({"id": "a", "text": "unsafe", "verdict": "accepted"})");
  try {
    read_answers("asked", folder_ / "run", kPrompts);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("replies.jsonl:1: /verdict: no answer to a question"));
  }
}

// Three harmful prompts at 0.9, 0.8 and 0.3, two harmless ones at 0.7 and 0.1, one of no label.
struct Example {
  std::vector<ProbePrompt> prompts{prompt("1", Label::kHarmful, Outcome::kAccepted, "jailbreak"),
                                   prompt("2", Label::kHarmful, Outcome::kRefused, "jailbreak"),
                                   prompt("3", Label::kHarmful, Outcome::kAccepted, "jailbreak"),
                                   prompt("4", Label::kHarmless, Outcome::kAccepted, "ordinary"),
                                   prompt("5", Label::kHarmless, Outcome::kAccepted, "ordinary"),
                                   prompt("6", Label::kNone)};
  GuardAnswers answers{"guard", 6};

  Example() {
    answers.scores = {0.9, 0.8, 0.3, 0.7, 0.1, 0.5};
    answers.probabilities = answers.scores;
    for (std::size_t i = 0; i < 6; ++i) answers.harmful[i] = *answers.scores[i] > 0.5;
  }
};

TEST(Metrics, CountWhatAgreesWithTheLabels) {
  const Example example;
  const GuardMetrics metrics = measure_guard(example.prompts, example.answers);
  EXPECT_EQ(metrics.accuracy.count, 3);
  EXPECT_EQ(metrics.accuracy.n, 5);
  EXPECT_EQ(metrics.found.count, 2);
  EXPECT_EQ(metrics.found.n, 3);
  EXPECT_EQ(metrics.false_alarms.count, 1);
  EXPECT_EQ(metrics.false_alarms.n, 2);
  EXPECT_EQ(metrics.unanswered, 0);
  EXPECT_DOUBLE_EQ(metrics.auroc->value, 5.0 / 6);
  EXPECT_DOUBLE_EQ(*metrics.brier, (0.01 + 0.04 + 0.49 + 0.49 + 0.01) / 5);
}

TEST(Metrics, RatesThatTooFewNegativesCannotTellAreAbsentWithTheReason) {
  const Example example;
  const GuardMetrics metrics = measure_guard(example.prompts, example.answers);
  ASSERT_EQ(metrics.at_rates.size(), 2u);
  EXPECT_EQ(metrics.at_rates[0].first, 0.01);
  EXPECT_FALSE(metrics.at_rates[0].second.point.has_value());
  EXPECT_THAT(metrics.at_rates[0].second.reason, HasSubstr("100"));
}

TEST(Metrics, VerdictsAloneHaveNoCurves) {
  Example example;
  example.answers.scores.assign(6, std::nullopt);
  example.answers.probabilities.assign(6, std::nullopt);
  example.answers.harmful[0].reset();
  const GuardMetrics metrics = measure_guard(example.prompts, example.answers);
  EXPECT_EQ(metrics.unanswered, 1);
  EXPECT_EQ(metrics.accuracy.n, 4);
  EXPECT_FALSE(metrics.auroc.has_value());
  EXPECT_TRUE(metrics.roc.empty());
  EXPECT_TRUE(metrics.at_rates.empty());
  EXPECT_TRUE(metrics.bins.empty());
}

TEST(Cases, AreGroupsAndTheirOutcomes) {
  const Example example;
  const std::vector<GuardCase> cases = find_cases(example.prompts, {"role"});
  std::vector<std::string> names;
  for (const GuardCase& part : cases)
    names.push_back(part.name + " " + std::string(outcome_name(part.outcome)) + " " +
                    std::to_string(part.prompts.size()));
  EXPECT_THAT(names, ElementsAre("jailbreak unknown 3", "jailbreak refused 1", "jailbreak accepted 2",
                                 "ordinary unknown 2", "ordinary accepted 2"));
  EXPECT_EQ(cases[0].label, Label::kHarmful);
  EXPECT_EQ(accuracy_on(example.prompts, cases[2].prompts, example.answers).count, 1);
}

TEST(Cases, OfBothLabelsHaveNone) {
  const Example example;
  std::vector<ProbePrompt> prompts = example.prompts;
  for (ProbePrompt& p : prompts) p.fields["role"] = "all";
  EXPECT_EQ(find_cases(prompts, {"role"}).front().label, Label::kNone);
}

}  // namespace
}  // namespace hrt
