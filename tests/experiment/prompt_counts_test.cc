#include "hrt/experiment/prompt_counts.h"

#include <gmock/gmock.h>

namespace hrt {
namespace {

PromptCounts count(const std::vector<std::pair<Label, Outcome>>& prompts) {
  PromptSet set;
  std::vector<Outcome> outcomes;
  for (const auto& [label, outcome] : prompts) {
    PromptRecord record;
    record.label = label;
    set.prompts.push_back({std::move(record), {}, {}});
    outcomes.push_back(outcome);
  }
  return {set, outcomes};
}

using enum Label;
using enum Outcome;

TEST(PromptCounts, SayOnlyWhatThereIs) {
  EXPECT_EQ(count({{Label::kNone, kUnknown}, {Label::kNone, kRefused}}).to_json(), Json({{"prompts", 2}}));
  EXPECT_EQ(count({{kHarmful, kUnknown}, {kHarmful, kUnknown}}).to_json(),
            Json::parse(R"({"prompts": 2, "labels": {"harmful": 2, "harmless": 0, "none": 0}})"));
}

TEST(PromptCounts, AnEmptyQuadrantIsAResult) {
  const PromptCounts counts =
      count({{kHarmful, kRefused}, {kHarmless, kUnknown}, {kHarmless, kAccepted}, {Label::kNone, kAccepted}});
  EXPECT_EQ(counts.to_json(),
            Json::parse(R"({"prompts": 4, "labels": {"harmful": 1, "harmless": 2, "none": 1},
      "quadrants": {"refused_harmful": 1, "accepted_harmful": 0, "refused_harmless": 0, "accepted_harmless": 1}})"));
  EXPECT_EQ(counts.of(kAccepted), 2);
  EXPECT_EQ(counts.of(kHarmless), 2);
  EXPECT_EQ(counts.all(), 4);
}

}  // namespace
}  // namespace hrt
