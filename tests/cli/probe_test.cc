// `hrt probe` on the organism, and on the tensors that Zhao et al. released.

#include <gmock/gmock.h>

#include <algorithm>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt_process.h"
#include "test_data.h"

namespace hrt::testing {
namespace {

using ::testing::HasSubstr;

const std::string kProject = HRT_SOURCE_DIR;

std::string config(const std::string& name) { return kProject + "/configs/zhao2025/" + name + ".json"; }

std::vector<std::string> on_organism(const std::string& name, const std::string& out,
                                     const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{
      "probe",    "--config", config(name), "--data", kProject + "/data/catalogs/organism.json",
      "--device", "cpu",      "--out",      out};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(ProbeCommand, ExtractsFirstAndThenReadsThatRun) {
  const TemporaryFolder folder;
  const ProcessResult first = run_hrt(on_organism("fig3", folder / "run"));
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("no scored prompt is among those of the centroids"));
  const ProcessResult again =
      run_hrt({"probe", "beliefs", folder / "run/extract", "--config", config("fig3"), "--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  const Json stored = read_json(folder / "run/results.json");
  const Json printed = Json::parse(again.out);
  EXPECT_EQ(printed.at("groups"), stored.at("groups"));
  EXPECT_EQ(printed.at("prompts").size(), 480);

  EXPECT_EQ(run_hrt(on_organism("fig3", folder / "run")).code, 2);  // it is there
  const ProcessResult resumed = run_hrt(on_organism("fig3", folder / "run", {"--resume", "--json"}));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_EQ(Json::parse(resumed.out).at("groups"), stored.at("groups"));
  const ProcessResult other = run_hrt(on_organism("fig2", folder / "run", {"--resume"}));
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("/config/analysis"));
}

TEST(ProbeCommand, RefusesFlagsThatWouldHaveNoEffectOnARun) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_hrt(on_organism("fig3", folder / "run", {"--limit", "20"})).code, 0);
  const std::string run = folder / "run/extract";
  const auto on_run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"probe", "layers", run});
    return run_hrt(more);
  };
  EXPECT_THAT(on_run({"--limit", "5"}).err, HasSubstr("--limit does not go with " + run));
  EXPECT_THAT(on_run({"--limit", "5"}).err, HasSubstr("computed with 20"));
  EXPECT_THAT(on_run({"--layers", "0..3"}).err, HasSubstr("computed with \"all\""));
  EXPECT_THAT(on_run({"--positions", "t_inst"}).err, HasSubstr("--positions does not go with"));
  const ProcessResult set = on_run({"--set", "max_new_tokens=3"});
  EXPECT_EQ(set.code, 2);
  EXPECT_EQ(std::ranges::count(set.err, '\n'), 1) << set.err;
  EXPECT_THAT(set.err, HasSubstr("--set max_new_tokens=3 does not go with"));
  // What agrees with the run, or is about this command, is welcome.
  EXPECT_EQ(on_run({"--limit", "20", "--seed", "2", "--device", "cpu", "--config", config("fig2")}).code, 0);
}

TEST(ProbeCommand, NamesFromPromptsAreHarmlessOnATerminal) {
  const TemporaryFolder folder;
  std::string prompts;
  for (const char* label : {"harmful", "harmless"}) {
    for (int i = 0; i < 3; ++i)
      prompts += to_line(Json{{"instruction", std::string("feed a ") + label + " cat " + std::to_string(i)},
                              {"label", label},
                              {"category", "\x1b[31mred"}}) +
                 "\n";
  }
  const std::string run = folder / "run";
  ASSERT_EQ(
      run_hrt({"extract", "--model", std::string(HRT_SOURCE_DIR) + "/data/organism/model", "--prompts",
               folder.write("in.jsonl", prompts), "--outcomes", "none", "--device", "cpu", "--out", run})
          .code,
      0);
  const ProcessResult layers =
      run_hrt({"probe", "layers", run, "--group-by", "category", "--clusters", "label", "--allow-overlap"});
  EXPECT_EQ(layers.code, 0) << layers.err;
  EXPECT_THAT(layers.out, ::testing::HasSubstr("\\x1b[31mred"));
  EXPECT_THAT(layers.out, ::testing::Not(::testing::HasSubstr("\x1b")));
}

TEST(ProbeCommand, LooksIntoTheReply) {
  const TemporaryFolder folder;
  const ProcessResult result = run_hrt(on_organism(
      "fig14_16", folder / "run", {"--positions", "t_inst,t_resp,t_resp+1,response", "--limit", "30"}));
  ASSERT_EQ(result.code, 0) << result.err;
  const Json positions = read_json(folder / "run/results.json").at("positions");
  EXPECT_EQ(positions.at("t_resp").at("auroc_outcome").at("value"), 1);
  EXPECT_GT(positions.at("response").at("groups").at("refused_harmful").at("mean").at("low"), 0);
}

TEST(ProbeCommand, ComparesAModelWithItsFineTune) {
  const TemporaryFolder folder;
  const ProcessResult result = run_hrt(on_organism("fig7_18", folder / "run", {"--limit", "40"}));
  ASSERT_EQ(result.code, 0) << result.err;
  const Json results = read_json(folder / "run/results.json");
  const Json& group = results.at("variants").at("fine-tuned").at("delta_harmful").at("accepted_harmful");
  EXPECT_EQ(group.at("own_centroids").at("change").at("n"), 40);
  EXPECT_NE(results.at("source").at("base").at("runs"), results.at("source").at("fine-tuned").at("runs"));
}

class GoldensReleasedTensors : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(data_)) GTEST_SKIP() << "no " << data_;
  }
  Json probe(const std::string& name) const {
    const ProcessResult result =
        run_hrt({"probe", "--config", config(name), "--data-root", data_.string(), "--json"});
    EXPECT_EQ(result.code, 0) << result.err;
    return Json::parse(result.out);
  }

  const std::filesystem::path data_ = large_test_data() / "zhao2025";
};

// The notebook's result, to the sixth digit.
TEST_F(GoldensReleasedTensors, GiveThePublishedBeliefs) {
  const std::vector<double> harmful{-0.056059, -0.027839, -0.044894, -0.043114, -0.039890};
  const std::vector<double> refuse{0.009189, 0.009645, 0.015864, 0.008792, 0.014578};
  const Json results = probe("released-beliefs");
  ASSERT_EQ(results.at("prompts").size(), 5);
  for (std::size_t i = 0; i < 5; ++i) {
    const Json& prompt = results.at("prompts")[i];
    EXPECT_NEAR(prompt.at("delta_harmful").at("all_rows"), harmful[i], 5e-7);
    EXPECT_NEAR(prompt.at("delta_refuse").at("all_rows"), refuse[i], 5e-7);
  }
  EXPECT_EQ(results.at("groups").at("refused_harmless").at("believed").at("harmless_refuse"), 5);
  EXPECT_FALSE(results.at("source").at("position_check").at("holds"));
}

TEST_F(GoldensReleasedTensors, GiveATableOfCategoriesByRow) {
  const Json harm = probe("released-categories").at("harmfulness");
  ASSERT_EQ(harm.at("by_row").size(), 29);
  for (const Json& matrix : harm.at("by_row")) {
    ASSERT_EQ(matrix.size(), 11);
    for (std::size_t i = 0; i < 11; ++i) {
      ASSERT_EQ(matrix[i].size(), 11);
      EXPECT_NEAR(matrix[i][i], 1, 1e-12);
    }
  }
  EXPECT_GT(harm.at("mean"), 0.6);
  EXPECT_LT(harm.at("mean"), 0.73);
}

}  // namespace
}  // namespace hrt::testing
