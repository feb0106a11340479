#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int kVocabulary = 80;
const std::string kModel = tiny_checkpoint("llama-gqa-tied");  // 3 layers x 32

// A run of `hrt extract` to take directions from, and prompts to steer.
class Sweep : public ::testing::Test {
 protected:
  Sweep() {
    write_safetensors(folder_ / "v.safetensors", {{"v", at::full({4, 32}, 0.5F)},
                                                  {"zero", at::zeros({4, 32})},
                                                  {"narrow", at::full({4, 16}, 1.0F)},
                                                  {"short", at::zeros({3, 32})},
                                                  {"huge", at::full({4, 32}, 3e38F)}});
  }

  std::vector<std::string> steer(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"steer", "--model",  kModel, "--prompts", prompts_, "--template",
                                       "raw",   "--device", "cpu",  "--threads", "2",      "--max-new-tokens",
                                       "6",     "--out",    out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string direction(const char* name) const {
    return std::string(folder_ / "v.safetensors") + ":" + name;
  }
  Json results(const std::string& run) const { return read_json(run + "/results.json"); }
  std::vector<Json> replies(const std::string& run) const {
    std::vector<Json> lines;
    for (const std::string& line : split(trim(read_text(run + "/replies.jsonl")), '\n'))
      lines.push_back(Json::parse(line));
    return lines;
  }

  const TemporaryFolder folder_;
  const std::string prompts_ = folder_.write("p.jsonl", token_prompts(12, 9, kVocabulary));
};

TEST_F(Sweep, ASweepHasReceiptsControlsAndIntervals) {
  const ProcessResult result =
      run_hrt(steer(folder_ / "run", {"--direction", direction("v"), "--coef", "2,-2", "--scope",
                                      "instruction,t_inst", "--controls", "2"}));
  ASSERT_EQ(result.code, 0) << result.err;
  const Json json = results(folder_ / "run");
  ASSERT_EQ(json.at("cells").size(), 1 + 3 * 2 * 2 * 3);
  EXPECT_EQ(json.at("cells")[1].at("receipt").at("tokens"), 51);  // every prompt's instruction
  EXPECT_GT(json.at("cells")[1].at("receipt").at("mean_norm_change").get<double>(), 0.01);
  const Json& first = json.at("results")[1];
  EXPECT_EQ(first.at("n"), 12);
  EXPECT_TRUE(first.contains("changed"));
  EXPECT_EQ(replies(folder_ / "run").size(), 12 * 37);
  const auto csv = split(trim(read_text(folder_ / "run/sweep.csv")), '\n');
  EXPECT_EQ(csv.size(), 1 + 37);
  EXPECT_TRUE(read_json(folder_ / "run/manifest.json").at("row_identity").at("holds").get<bool>());
}

TEST_F(Sweep, CoefficientZeroIsTheBaselineToTheBit) {
  ASSERT_EQ(run_hrt(steer(folder_ / "run", {"--direction", direction("v"), "--coef", "0", "--controls", "0",
                                            "--group-size", "12"}))
                .code,
            0);
  const auto lines = replies(folder_ / "run");
  ASSERT_EQ(lines.size(), 12 * 4);
  for (std::size_t i = 12; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].at("tokens"), lines[i % 12].at("tokens"));
    EXPECT_EQ(lines[i].at("first_margin"), lines[i % 12].at("first_margin"));
  }
}

TEST_F(Sweep, AZeroRowIsACellWithoutEffect) {
  ASSERT_EQ(run_hrt(steer(folder_ / "run", {"--direction", direction("zero"), "--layers", "0"})).code, 0);
  const Json cell = results(folder_ / "run").at("cells")[1];
  EXPECT_GT(cell.at("receipt").at("tokens").get<int>(), 0);
  EXPECT_EQ(cell.at("receipt").at("mean_norm_change"), 0);
}

TEST_F(Sweep, NothingTouchedIsExitThree) {
  // Behind a raw prompt's instruction there is nothing.
  const ProcessResult result = run_hrt(steer(
      folder_ / "run", {"--direction", direction("v"), "--scope", "post_instruction", "--layers", "1"}));
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("nothing was steered: cell \"v add +1, post_instruction, layer 1\""));
}

TEST_F(Sweep, SteeringOutOfTheRangeOfNumbersFails) {
  const ProcessResult result =
      run_hrt(steer(folder_ / "run", {"--direction", direction("huge"), "--scope", "prompt", "--layers", "1",
                                      "--controls", "0"}));
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("its steering makes activations that are not finite"));
  EXPECT_EQ(read_json(folder_ / "run/manifest.json").at("status"), "running");
}

TEST_F(Sweep, AStoppedSweepResumesToTheSameBytes) {
  const std::vector<std::string> sweep{"--direction", direction("v"), "--coef", "1,2,3", "--controls",
                                       "3",           "--group-size", "40"};
  ASSERT_EQ(run_hrt(steer(folder_ / "whole", sweep)).code, 0);
  const fs::path first = group_file(folder_ / "stopped", 0);
  const ProcessResult stopped =
      interrupt_hrt(steer(folder_ / "stopped", sweep), [&] { return fs::exists(first); }, SIGKILL);
  ASSERT_EQ(stopped.code, 128 + SIGKILL);
  auto resume = steer(folder_ / "stopped", sweep);
  resume.push_back("--resume");
  ASSERT_EQ(run_hrt(resume).code, 0);
  for (const char* file : {"results.json", "sweep.csv", "replies.jsonl"}) {
    EXPECT_EQ(read_text(std::string(folder_ / "stopped/") + file),
              read_text(std::string(folder_ / "whole/") + file))
        << file;
  }
}

TEST_F(Sweep, ACompleteSweepThatIsResumedPrintsWhatItPrinted) {
  std::vector<std::string> sweep = steer(folder_ / "run", {"--direction", direction("v"), "--json"});
  const ProcessResult first = run_hrt(sweep);
  ASSERT_EQ(first.code, 0) << first.err;
  sweep.emplace_back("--resume");
  const ProcessResult again = run_hrt(sweep);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(Json::parse(again.out).at("cells"), results(folder_ / "run").at("cells"));
}

TEST_F(Sweep, BadDirectionsAreRefusedBeforeAnythingIsWritten) {
  const auto refused = [&](const std::vector<std::string>& more, const char* message) {
    const ProcessResult result = run_hrt(steer(folder_ / "bad", more));
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_FALSE(fs::exists(folder_ / "bad"));
  };
  refused({"--direction", direction("narrow")}, "expected [rows, 32] or [32]");
  refused({"--direction", direction("short")}, "short: has 3 rows, expected 4 for this model");
  refused({"--direction", direction("w")}, "v, zero, narrow, short");
  refused({"--direction", direction("v"), "--row", "4"}, "has no row 4");
  refused({"--direction", direction("v"), "--layers", "3"}, "does not lie in 0..2");
  refused({"--direction", direction("v"), "--scope", "everything"}, "unknown scope \"everything\"");
  refused({"--direction", "v"}, "no directions: give --direction RUN");
  refused({"--task", "inversion"}, "needs prompts as text");
}

TEST_F(Sweep, DirectionsOfAnotherModelAreAWarning) {
  const std::string other = folder_ / "other";
  fs::copy(kModel, other);
  Json config = read_json(other + "/config.json");
  config["rope_theta"] = 5000;
  folder_.write("other/config.json", config.dump());
  const auto extract = [&](const std::string& model, const std::string& out) {
    return run_hrt({"extract", "--model", model, "--prompts", prompts_, "--template", "raw", "--device",
                    "cpu", "--outcomes", "none", "--out", out});
  };
  ASSERT_EQ(extract(other, folder_ / "theirs").code, 0);
  ASSERT_EQ(extract(kModel, folder_ / "ours").code, 0);
  const auto steered = [&](const char* run, const char* more) {
    return run_hrt(
        steer(folder_ / "run", {"--direction", folder_ / run + ":harmfulness", "--layers", "1", more}));
  };
  const std::string warning =
      "warning: the directions of " + folder_ / "theirs" + " are another model's: " + other;
  EXPECT_THAT(steered("theirs", "--dry-run").err, HasSubstr(warning));
  EXPECT_THAT(steered("theirs", "--overwrite").err, HasSubstr(warning));
  EXPECT_THAT(read_json(folder_ / "run/manifest.json").at("warnings").dump(),
              HasSubstr("are another model's"));
  EXPECT_THAT(steered("ours", "--overwrite").err, ::testing::Not(HasSubstr("another model's")));
}

TEST_F(Sweep, SamplingIsSeeded) {
  const std::vector<std::string> warm{"--temperature", "1", "--seed", "5"};
  ASSERT_EQ(run_hrt(steer(folder_ / "a", warm)).code, 0);
  ASSERT_EQ(run_hrt(steer(folder_ / "b", warm)).code, 0);
  ASSERT_EQ(run_hrt(steer(folder_ / "c", {"--temperature", "1", "--seed", "6"})).code, 0);
  EXPECT_EQ(read_text(folder_ / "a/replies.jsonl"), read_text(folder_ / "b/replies.jsonl"));
  EXPECT_NE(read_text(folder_ / "a/replies.jsonl"), read_text(folder_ / "c/replies.jsonl"));
}

}  // namespace
}  // namespace hrt::testing
