#include "hrt/experiment/repeated_prompts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RepeatedPrompts : public ::testing::Test {
 protected:
  void add(const std::string& set, std::vector<std::int64_t> tokens, Label label = Label::kNone) {
    PromptRecord record;
    record.set = set;
    record.id = fmt::format("{}:{}", set, set_.prompts.size() + 1);
    record.label = label;
    set_.prompts.push_back({std::move(record), prompt_from_ids(std::move(tokens)), {}});
  }

  PromptSet set_;
};

TEST_F(RepeatedPrompts, DistinctPromptsAreNoNews) {
  add("a", {1, 2});
  add("a", {1, 2, 3});
  add("b", {2, 1});
  EXPECT_THAT(describe_repeats(set_), IsEmpty());
}

TEST_F(RepeatedPrompts, CountPromptsNotLines) {
  for (int i = 0; i < 3; ++i) add("a", {1});
  add("a", {2});
  add("a", {2});
  EXPECT_THAT(describe_repeats(set_),
              ElementsAre("the same prompt twice in a set: 2 prompts of a (such as a:1 and a:2)"));
}

TEST_F(RepeatedPrompts, TwoSetsAreNamed) {
  add("a", {1});
  add("b", {1});
  add("b", {1});
  EXPECT_THAT(describe_repeats(set_),
              ElementsAre("the same prompt in two sets: 1 prompt of a and b (such as a:1 and b:2)",
                          "the same prompt twice in a set: 1 prompt of b (such as b:2 and b:3)"));
}

TEST_F(RepeatedPrompts, OppositeLabelsComeFirst) {
  add("a", {1}, Label::kHarmful);
  add("a", {1}, Label::kHarmless);
  add("b", {1}, Label::kHarmful);
  EXPECT_THAT(
      describe_repeats(set_),
      ElementsAre(HasSubstr("labelled both harmful and harmless: 1 prompt of a (such as a:1 and a:2)"),
                  HasSubstr("labelled both harmful and harmless: 1 prompt of a and b (such as a:2 and b:3)"),
                  HasSubstr("the same prompt in two sets: 1 prompt of a and b (such as a:1 and b:3)")));
}

PreparedPrompt asked(const std::string& id, const std::string& instruction) {
  PromptRecord record;
  record.set = "s";
  record.id = id;
  record.instruction = instruction;
  return {std::move(record), prompt_from_ids({1}), {}};
}

TEST(SharedPrompts, TheSameRequestCountsWhateverStandsAroundIt) {
  PromptSet extracted;
  extracted.prompts = {asked("x1", "how?"), asked("x2", "why?")};
  PreparedPrompt exchange = asked("a3", "");
  exchange.record.instruction.reset();
  exchange.record.messages = {{"user", "hello"}, {"assistant", "yes?"}, {"user", "why?"}};
  PromptSet steered;
  steered.prompts = {asked("a1", "when?"), asked("a2", "how?"), exchange};
  EXPECT_THAT(
      describe_shared(steered, extracted),
      ElementsAre(HasSubstr("steered by directions that they are part of: 2 prompts of s (such as a2, "
                            "there x1)")));
  steered.prompts.resize(1);
  EXPECT_THAT(describe_shared(steered, extracted), IsEmpty());
}

}  // namespace
}  // namespace hrt
