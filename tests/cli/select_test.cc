#include <gmock/gmock.h>

#include <filesystem>

#include "hrt/base/json.h"
#include "hrt_process.h"
#include "test_data.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kScores = R"({"layers": 10, "candidates": [
    {"position": -2, "layer": 3, "refusal_score": -4, "steering_score": 2, "kl_div_score": 0.05},
    {"position": -1, "layer": 3, "refusal_score": -9, "steering_score": 2, "kl_div_score": NaN}]})";

TEST(SelectCommand, AppliesTheRulesToScores) {
  const TemporaryFolder folder;
  const std::string file = folder.write("s.json", kScores);
  const ProcessResult result = run_hrt({"steer", "select", "--scores", file, "--json"});
  EXPECT_EQ(result.code, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json.at("chosen"), (Json{{"position", -2}, {"layer", 3}}));
  EXPECT_EQ(json.at("surviving").size(), 1u);
  EXPECT_EQ(json.at("removed").at("not_a_number"), 1);
  EXPECT_THAT(run_hrt({"steer", "select", "--scores", file}).out, HasSubstr("chosen"));
}

TEST(SelectCommand, ExitsThreeWhenNoneSurvives) {
  const TemporaryFolder folder;
  const std::string file = folder.write("s.json", kScores);
  const ProcessResult result = run_hrt({"steer", "select", "--scores", file, "--max-kl", "0.01"});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("no candidate survives: of 2 candidates 1 have a score"));
}

TEST(SelectCommand, StandsBesideSteer) {
  EXPECT_EQ(run_hrt({"steer", "--print-config"}).code, 0);
  EXPECT_EQ(run_hrt({"steer", "select", "--print-config"}).code, 0);
  const ProcessResult misplaced = run_hrt({"steer", "--limit", "3", "select", "--print-config"});
  EXPECT_EQ(misplaced.code, 2);
  EXPECT_THAT(misplaced.err, HasSubstr("--limit must stand behind `select`"));
}

TEST(GoldensSelectCommand, ResumesToTheSameBytes) {
  const fs::path model = large_test_data() / "organism-prototype";
  if (!fs::exists(model)) GTEST_SKIP() << "no " << model;
  const TemporaryFolder folder;
  const auto prompts = [&](const char* role) { return (model / "prompts" / role).string(); };
  const auto arguments = [&](const std::string& run) -> std::vector<std::string> {
    return {"steer",         "select",
            "--model",       model.string(),
            "--device",      "cpu",
            "--limit",       "20",
            "--group-size",  "4",
            "--max-kl",      "1000",
            "--min-induced", "-1000",
            "--harmful",     prompts("refused_harmful.jsonl"),
            "--harmless",    prompts("accepted_harmless.jsonl"),
            "--set",         "extract.harmful=[\"" + prompts("harmful_train.jsonl") + "\"]",
            "--set",         "extract.harmless=[\"" + prompts("harmless_train.jsonl") + "\"]",
            "--resume",      "--out",
            folder / run};
  };
  const ProcessResult whole = run_hrt(arguments("whole"));
  ASSERT_EQ(whole.code, 0) << whole.err;
  const ProcessResult stopped =
      interrupt_hrt(arguments("parts"), [&] { return fs::exists(group_file(folder / "parts", 1)); }, SIGTERM);
  EXPECT_EQ(stopped.code, 143) << stopped.err;
  ASSERT_EQ(run_hrt(arguments("parts")).code, 0);
  for (const std::string file : {"results.json", "select.csv", "directions.safetensors", "prompts.jsonl"})
    EXPECT_EQ(read_text(folder / ("parts/" + file)), read_text(folder / ("whole/" + file))) << file;
}

}  // namespace
}  // namespace hrt::testing
