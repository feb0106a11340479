// Experiments on the organism, the small trained model that comes with the project.

#include <gmock/gmock.h>

#include <algorithm>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

const std::string kProject = HRT_SOURCE_DIR;
const std::string kCatalog = kProject + "/data/catalogs/organism.json";

class Organism : public ::testing::Test {
 protected:
  // One extraction for all tests of this process.
  static std::string extraction() {
    static const TemporaryFolder folder;
    static const ProcessResult result =
        run_hrt({"extract", "--config", kProject + "/configs/extract.json", "--data", kCatalog, "--device",
                 "cpu", "--out", folder / "run"});
    EXPECT_EQ(result.code, 0) << result.err;
    return folder / "run";
  }

  Json steer(std::vector<std::string> more) const {
    std::vector<std::string> arguments{"steer", "--data",      kCatalog, "--device",
                                       "cpu",   "--overwrite", "--out",  folder_ / "run"};
    const bool sweeps =
        std::ranges::any_of(more, [](const std::string& text) { return text.starts_with("sweeps="); });
    if (sweeps) more.insert(more.end(), {"--direction", extraction()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = run_hrt(arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    return read_json(folder_ / "run/results.json");
  }

  static std::string sweep(const Json& sweep) { return "sweeps=" + Json::array({sweep}).dump(); }
  static std::string prompts(const std::vector<std::string>& roles) {
    Json list = Json::array();
    for (const std::string& role : roles) list.push_back({{"role", role}});
    return "prompts=" + list.dump();
  }

  // The first result of a cell (by its place in the list) on a set.
  static Json result(const Json& results, std::size_t cell, const std::string& set) {
    const Json name = results.at("cells").at(cell).at("name");
    for (const Json& entry : results.at("results")) {
      if (entry.at("cell") == name && entry.at("set") == set) return entry;
    }
    return {};
  }

  const TemporaryFolder folder_;
};

TEST_F(Organism, ItsOwnRepliesFillTheQuadrantsThatItsRolesAreNamedFor) {
  const Json results = steer(
      {"--set", prompts({"refused_harmful", "accepted_harmful", "refused_harmless", "accepted_harmless"})});
  const auto rate = [&](const char* role) {
    return result(results, 0, role).at("rate").at("value").get<double>();
  };
  EXPECT_GT(rate("refused_harmful"), 0.9);
  EXPECT_LT(rate("accepted_harmful"), 0.15);
  EXPECT_GT(rate("refused_harmless"), 0.85);
  EXPECT_LT(rate("accepted_harmless"), 0.15);
}

// The first 12 prompts of each of two roles, the first labelled harmful, the second harmless.
std::string asked_about(const std::string& harmful, const std::string& harmless) {
  std::string lines;
  for (const auto& [role, label] : {std::pair{harmful, "harmful"}, std::pair{harmless, "harmless"}}) {
    const auto file = split(read_text(kProject + "/data/organism/prompts/" + role + ".jsonl"), '\n');
    for (std::size_t i = 0; i < 12; ++i) {
      const Json line{{"instruction", Json::parse(file[i]).at("instruction")}, {"label", label}};
      lines += line.dump() + "\n";
    }
  }
  return lines;
}

TEST_F(Organism, WhereTheAnswersTellNothingApartSteeredCellsAreLeftOut) {
  const std::string sweep_of_four = sweep(
      {{"direction", "harmfulness"}, {"scope", {"before_question"}}, {"layers", {3, 4}}, {"controls", 1}});
  const auto invert = [&](const std::string& prompts) {
    return steer({"--task", "inversion", "--prompts", prompts, "--set", sweep_of_four});
  };
  const Json alike = invert(folder_.write("alike.jsonl", asked_about("harmless_train", "harmless_val")));
  EXPECT_FALSE(alike.at("applies").get<bool>());
  EXPECT_EQ(alike.at("left_out"), 4);
  EXPECT_EQ(alike.at("cells").size(), 5u);
  for (const Json& entry : alike.at("results")) EXPECT_EQ(entry.at("cell"), alike["cells"][0]["name"]);
  EXPECT_EQ(std::ranges::count(read_text(folder_ / "run/replies.jsonl"), '\n'), 24);
  EXPECT_THAT(read_json(folder_ / "run/manifest.json").at("warnings").dump(),
              ::testing::HasSubstr("4 steered cells left out"));

  const Json apart = invert(folder_.write("apart.jsonl", asked_about("refused_harmful", "harmless_val")));
  EXPECT_TRUE(apart.at("applies").get<bool>()) << apart.at("reason");
  EXPECT_EQ(apart.at("left_out"), 0);
  EXPECT_EQ(std::ranges::count(read_text(folder_ / "run/replies.jsonl"), '\n'), 5 * 24);
}

TEST_F(Organism, ADryRunCountsCellsAndCandidates) {
  const auto plan = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data", kCatalog, "--device", "cpu", "--dry-run", "--json"});
    const ProcessResult result = run_hrt(arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    return Json::parse(result.out);
  };
  const std::string two_layers = sweep({{"name", "S"}, {"layers", {3, 4}}, {"controls", 3}});
  const Json steered = plan({"steer", "--direction", extraction() + ":refusal", "--set",
                             prompts({"refused_harmful"}), "--set", two_layers});
  EXPECT_EQ(steered.at("cells").at("sweeps"), Json::parse(R"({"S": {"cells": 2, "controls": 6}})"));
  EXPECT_EQ(steered.at("cells").at("all"), 9);
  EXPECT_EQ(steered.at("cells").at("replies"), 9 * steered.at("prompts").get<int>());
  const Json select = plan({"steer", "select", "--config", kProject + "/configs/arditi2024/select.json"});
  EXPECT_EQ(select.at("candidates"), Json::parse(R"({"all": 30, "positions": 5, "layers": 6})"));
}

TEST_F(Organism, AConditionSteersOnlyThePromptsThatMeetIt) {
  const Json ablation{{"direction", "refusal"}, {"op", "ablate"}, {"scope", {"all"}}, {"controls", 0}};
  Json believed_harmful = ablation;
  believed_harmful["when"] = {{"rows", "all"}, {"above", 0}};
  const std::string roles = prompts({"refused_harmful", "accepted_harmless"});
  const Json always = steer({"--set", roles, "--set", sweep(ablation)});
  const Json sometimes = steer({"--set", roles, "--set", sweep(believed_harmful)});
  const auto kl = [](const Json& results) {
    return result(results, 1, "accepted_harmless").at("kl").at("value").get<double>();
  };
  EXPECT_LT(kl(sometimes), 0.5 * kl(always));
  EXPECT_EQ(result(sometimes, 1, "refused_harmful").at("counts"),
            result(always, 1, "refused_harmful").at("counts"));
  const auto tokens = [](const Json& results) {
    return results.at("cells")[1].at("receipt").at("tokens").get<int>();
  };
  EXPECT_GT(tokens(sometimes), 0);
  EXPECT_LT(tokens(sometimes), tokens(always));
  const Json none = steer({"--set", prompts({"accepted_harmless"}), "--set",
                           sweep({{"direction", "refusal"},
                                  {"layers", "3"},
                                  {"controls", 0},
                                  {"when", {{"rows", "all"}, {"above", 2}}}})});
  EXPECT_EQ(none.at("cells")[1].at("receipt").at("tokens"), 0);  // a condition that nothing meets is a result
  EXPECT_EQ(result(none, 1, "accepted_harmless").at("kl").at("value"), 0);
}

TEST_F(Organism, SidePromptsAreSteeredButHaveNoControls) {
  const Json results = steer({"--set", prompts({"accepted_harmless"}), "--set",
                              R"(side_prompts=[{"role": "jailbreak_template"}])", "--set",
                              sweep({{"direction", "harmfulness"}, {"layers", "3"}, {"controls", 1}})});
  EXPECT_FALSE(result(results, 1, "jailbreak_template").is_null());
  EXPECT_TRUE(result(results, 2, "jailbreak_template").is_null());
  EXPECT_FALSE(result(results, 2, "accepted_harmless").is_null());
}

TEST_F(Organism, DecidedRepliesEndEarlyWithTheSameVerdict) {
  const std::vector<std::string> refused{"--set", prompts({"refused_harmful"})};
  const Json whole = steer(refused);
  const std::string replies = read_text(folder_ / "run/replies.jsonl");
  const Json early = steer({"--set", prompts({"refused_harmful"}), "--stop-when-decided"});
  EXPECT_EQ(result(early, 0, "refused_harmful").at("counts"),
            result(whole, 0, "refused_harmful").at("counts"));
  EXPECT_LT(read_text(folder_ / "run/replies.jsonl").size(), replies.size());
  EXPECT_FALSE(result(early, 0, "refused_harmful").contains("rate_after"));
}

}  // namespace
}  // namespace hrt::testing
