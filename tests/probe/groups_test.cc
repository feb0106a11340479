#include "hrt/probe/groups.h"

#include <gmock/gmock.h>

namespace hrt {
namespace {

using ::testing::ElementsAre;

ProbePrompt prompt(Label label, Outcome outcome, Json fields = Json::object()) {
  return {.id = "", .label = label, .outcome = outcome, .request = "", .fields = std::move(fields)};
}

std::vector<std::string> names_of(const PromptGroups& groups) {
  std::vector<std::string> names;
  for (const PromptGroup& group : groups.groups) names.push_back(group.name);
  return names;
}

TEST(Groups, QuadrantsStandInTheirOrderWhateverThePromptsAre) {
  const PromptGroups groups = group_prompts(
      {prompt(Label::kHarmless, Outcome::kAccepted), prompt(Label::kHarmful, Outcome::kAccepted),
       prompt(Label::kHarmless, Outcome::kRefused), prompt(Label::kHarmful, Outcome::kRefused),
       prompt(Label::kHarmful, Outcome::kUnknown), prompt(Label::kNone, Outcome::kRefused)},
      {"outcome", "label"});
  EXPECT_THAT(names_of(groups),
              ElementsAre("refused_harmful", "accepted_harmful", "refused_harmless", "accepted_harmless"));
  EXPECT_THAT(groups.groups[2].prompts, ElementsAre(2));
  EXPECT_EQ(groups.without, 2);
}

TEST(Groups, FieldsOfThePromptFileCount) {
  const PromptGroups groups = group_prompts(
      {prompt(Label::kHarmful, Outcome::kAccepted, {{"set", "b"}, {"deceives", true}}),
       prompt(Label::kHarmful, Outcome::kAccepted, {{"set", "a"}, {"deceives", false}}),
       prompt(Label::kHarmful, Outcome::kAccepted, {{"set", "b"}, {"role", "a"}, {"deceives", false}})},
      {"role", "deceives"});
  EXPECT_THAT(names_of(groups), ElementsAre("b_deceives", "a_not deceives"));
  EXPECT_THAT(groups.groups[1].prompts, ElementsAre(1, 2));
}

}  // namespace
}  // namespace hrt
