#include "hrt/steer/cells.h"

#include <gmock/gmock.h>

#include "hrt/base/error.h"
#include "hrt/experiment/config.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

constexpr std::int64_t kLayers = 4;

Json config(const std::vector<std::pair<std::string, Json>>& keys) {
  std::vector<Override> overrides;
  for (const auto& [key, value] : keys) overrides.push_back({key, value, "--set"});
  return resolve_config(Command::kSteer, std::nullopt, overrides);
}

std::vector<Cell> cells(const std::vector<std::pair<std::string, Json>>& keys,
                        const std::vector<std::string>& categories = {}) {
  return make_cells(config(keys), kLayers, categories);
}

TEST(Cells, AreReadBackFromResults) {
  const Json sweeps =
      Json::parse(R"([{"direction": "v", "op": "clamp", "coef": [2.5], "row": 3, "controls": 1,
      "when": {"rows": "1..2", "below": -0.25}, "also": [{"direction": "w", "op": "affine", "reference": "r.t_inst"}]},
      {"direction": "v", "op": "ablate", "controls": 0}])");
  for (const Cell& cell : cells({{"sweeps", sweeps}})) {
    const Cell again = cell_from_json(Json::parse(to_line(cell_to_json(cell))));
    EXPECT_EQ(again.layer(), cell.layer());
    Json expected = cell_to_json(cell);
    if (expected.contains("control"))
      expected["control"] = false;  // which cell's it is stands in their order
    EXPECT_EQ(cell_to_json(again), expected);
  }
}

TEST(Cells, NoTwoOfOneName) {
  const Json sweeps = Json::parse(R"([{"direction": "v"}, {"direction": "v", "on": ["harmful"]}])");
  EXPECT_THAT(
      [&] {
        cells({{"sweeps", sweeps}});
      },
      ThrowsMessage<InputError>(HasSubstr("give one of the sweeps a name")));
}

TEST(Cells, WithoutADirectionThereIsTheBaselineAlone) {
  EXPECT_EQ(cells({}).size(), 1);
  EXPECT_TRUE(cells({})[0].is_baseline());
}

TEST(Cells, ASweepTakesLayersOneAtATimeAndAddsControls) {
  const auto swept = cells({{"direction", "v"}, {"layers", "1..3:2"}, {"coef", {1, -2}}, {"controls", 2}});
  ASSERT_EQ(swept.size(), 1 + 2 * 2 * (1 + 2));
  EXPECT_EQ(swept[1].layer(), 1);
  EXPECT_EQ(swept[1].name, "v add +1, instruction, layer 1");
  EXPECT_FALSE(swept[1].control_of);
  EXPECT_EQ(swept[2].control_of, 1);
  EXPECT_EQ(swept[3].interventions.front().random, 2);
  EXPECT_EQ(swept.back().interventions.front().coefficient, -2);
  EXPECT_EQ(swept.back().layer(), 3);
}

TEST(Cells, AblationActsInAllLayersAndSitesAtOnce) {
  const auto swept = cells({{"direction", "v"}, {"op", "ablate"}, {"scope", {"all"}}, {"controls", 0}});
  ASSERT_EQ(swept.size(), 2);
  EXPECT_THAT(swept[1].interventions.front().layers, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(swept[1].interventions.front().sites.size(), 3);
  EXPECT_EQ(swept[1].name, "v ablate, all, all layers");
}

TEST(Cells, ASweepOfTheListOverridesWhatTheConfigSaysForAll) {
  const Json sweeps = Json::array({{{"direction", "a"}, {"layers", "2"}, {"on", {"harmful"}}},
                                   {{"direction", "b"}, {"scope", {"prompt"}}}});
  const auto swept = cells({{"sweeps", sweeps}, {"layers", "0,1"}, {"controls", 0}});
  ASSERT_EQ(swept.size(), 4);
  EXPECT_EQ(swept[1].layer(), 2);
  EXPECT_THAT(swept[1].on, ElementsAre("harmful"));
  EXPECT_EQ(swept[3].layer(), 1);
  EXPECT_EQ(swept[3].interventions.front().scope, Scope::kPrompt);
}

TEST(Cells, ADirectionOfEveryCategoryIsASweepOfEach) {
  const Json sweeps =
      Json::array({{{"direction", "harmfulness:*"}, {"on", {"*"}}, {"layers", "0"}, {"controls", 0}}});
  const auto swept = cells({{"sweeps", sweeps}}, {"fraud", "theft"});
  ASSERT_EQ(swept.size(), 3);
  EXPECT_EQ(swept[2].interventions.front().direction, "harmfulness:theft");
  EXPECT_THAT(swept[2].on, ElementsAre("theft"));
  PromptRecord record;
  record.category = "fraud";
  record.label = Label::kHarmful;
  EXPECT_TRUE(is_on(swept[1], record));
  EXPECT_FALSE(is_on(swept[2], record));
  EXPECT_TRUE(is_on(swept[0], record));
}

TEST(Cells, CompanionsGoAlongWithEveryCell) {
  const Json sweeps = Json::array({{{"direction", "a"},
                                    {"layers", "3"},
                                    {"also", {{{"direction", "b"}, {"op", "ablate"}, {"layers", "1"}}}}}});
  const auto swept = cells({{"sweeps", sweeps}, {"controls", 0}});
  ASSERT_EQ(swept[1].interventions.size(), 2);
  EXPECT_EQ(swept[1].interventions[1].op, Op::kAblate);
  EXPECT_EQ(first_layer(swept[1]), 1);
}

TEST(Cells, WhatIsWrongIsNamedWithItsPlace) {
  const auto refused = [](const std::vector<std::pair<std::string, Json>>& keys, const char* message) {
    EXPECT_THAT([&] { cells(keys); }, ThrowsMessage<InputError>(HasSubstr(message)));
  };
  refused({{"direction", "v"}, {"layers", "4"}}, "does not lie in 0..3");
  refused({{"direction", "v"}, {"scope", {"instuction"}}},
          "unknown scope \"instuction\", did you mean instruction?");
  refused({{"direction", "v"}, {"scope", {"before_question"}}},
          "scope before_question needs --task inversion");
  refused({{"direction", "v"}, {"sites", {"head"}}}, "unknown site");
  refused({{"direction", "v"}, {"op", "affine"}}, "needs a reference");
  refused({{"sweeps", Json::array({{{"scope", {"prompt"}}}})}}, "config: /sweeps/0: no direction");
  refused({{"sweeps", Json::array({{{"direction", "a:*"}}})}}, "have no categories");
  EXPECT_THAT(
      [] {
        config({{"sweeps", Json::array({{{"layer", 1}}})}});
      },
      ThrowsMessage<InputError>(HasSubstr("/sweeps/0/layer is no key of a sweep, did you mean layers?")));
  EXPECT_THAT(
      [] {
        config({{"when", {{"rows", "1"}}}});
      },
      ThrowsMessage<InputError>(HasSubstr("/when must be")));
}

TEST(Scopes, AreTokenSpansOfThePrompt) {
  TemplatedPrompt prompt;
  prompt.ids.resize(12);
  prompt.instruction = TokenRange{3, 6};
  prompt.t_inst = 5;
  prompt.t_post_inst = 11;
  prompt.question = TokenRange{7, 9};
  prompt.user_begin = 2;
  const auto span = [&](Scope scope) {
    const TokenSpan tokens = tokens_of(scope, prompt);
    return std::pair(tokens.begin, tokens.end);
  };
  EXPECT_EQ(span(Scope::kInstruction), std::pair(std::int64_t{3}, std::int64_t{6}));
  EXPECT_EQ(span(Scope::kTInst), std::pair(std::int64_t{5}, std::int64_t{6}));
  EXPECT_EQ(span(Scope::kPostInstruction), std::pair(std::int64_t{9}, std::int64_t{12}));
  EXPECT_EQ(span(Scope::kBeforeQuestion), std::pair(std::int64_t{0}, std::int64_t{7}));
  EXPECT_EQ(span(Scope::kUserBeforeQuestion), std::pair(std::int64_t{2}, std::int64_t{7}));
  EXPECT_EQ(span(Scope::kPrompt), std::pair(std::int64_t{0}, std::int64_t{12}));
  EXPECT_EQ(span(Scope::kAll), std::pair(std::int64_t{0}, TokenSpan::kToTheEnd));
}

}  // namespace
}  // namespace hrt
