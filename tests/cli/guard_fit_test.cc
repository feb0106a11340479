// `hrt guard fit` on the organism.

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "guard_command.h"
#include "hrt/base/file.h"
#include "hrt/tensor/safetensors.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(GuardCommand, FitTakesTheMeansOfTheTrainingPrompts) {
  const SafetensorsFile file(guard());
  const SafetensorsFile centroids(extraction() + "/centroids.safetensors");
  EXPECT_EQ(file.metadata().at("rows"), "[0,1,2,3,4,5,6,7,8]");
  const Json content = Json::parse(file.metadata().at("hrt-guard"));
  EXPECT_EQ(content.at("threshold"), 0);
  EXPECT_EQ(content.at("counts"), (Json{{"harmful", 100}, {"harmless", 100}}));
  EXPECT_EQ(content.at("text").at("template"), "chatml");
  EXPECT_EQ(content.at("training").size(), 200u);
  EXPECT_THAT(content.at("chosen").at("calibration"), HasSubstr("left out of its own centroid"));
  // The extraction's own centroids count the evaluated prompts, too; the training ones stand first.
  const at::Tensor rows = SafetensorsFile(extraction() + "/activations.safetensors").tensor("t_inst");
  const at::Tensor expected = rows.narrow(0, 0, 100).to(at::kDouble).mean(0);
  EXPECT_LT((file.tensor("harmful") - expected).abs().max().item<double>(), 1e-5);
}

TEST_F(GuardCommand, InspectShowsAGuardInShort) {
  const ProcessResult page = run_hrt({"inspect", guard()});
  ASSERT_EQ(page.code, 0) << page.err;
  EXPECT_THAT(page.out, AllOf(HasSubstr("100 harmful and 100 harmless prompts, template chatml"),
                              HasSubstr("harmful_train 100, harmless_train 100"), HasSubstr("9 rows"),
                              HasSubstr("width 96")));
  EXPECT_LT(page.out.size(), 2000u);
  const Json whole = Json::parse(run_hrt({"inspect", guard(), "--json"}).out);
  EXPECT_EQ(Json::parse(whole.at("metadata").at("hrt-guard").get<std::string>()).at("training").size(), 200u);
}

TEST_F(GuardCommand, FitDoesNotReplaceAFileUnasked) {
  const std::string out = folder_.write("g.safetensors", "mine");
  const ProcessResult refused = fit(out);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--overwrite"));
  EXPECT_EQ(fit(out, {"--overwrite"}).code, 2);
  EXPECT_EQ(read_text(out), "mine");
  fs::copy_file(guard(), out, fs::copy_options::overwrite_existing);
  EXPECT_EQ(fit(out).code, 2);
  EXPECT_EQ(fit(out, {"--overwrite"}).code, 0);
}

TEST_F(GuardCommand, ARunThatSomebodyChangedIsNamed) {
  const TemporaryFolder copies;
  const std::string run = copies / "run";
  const Json manifest = read_json(extraction() + "/manifest.json");
  const auto refusal = [&](const char* place, const Json& value) {
    fs::remove_all(run);
    fs::copy(extraction(), run);
    Json changed = manifest;
    changed[Json::json_pointer(place)] = value;
    write_file(fs::path(run) / "manifest.json", changed.dump());
    const ProcessResult result = run_hrt({"guard", "fit", run, "--out", copies / "g.safetensors"});
    EXPECT_EQ(result.code, 2) << place;
    return result.err;
  };
  EXPECT_THAT(refusal("/dtype", 5), HasSubstr("run/manifest.json: /dtype must be a string, found 5"));
  EXPECT_THAT(refusal("/status", Json::array()), HasSubstr("run/manifest.json: /status must be a string"));
  EXPECT_THAT(refusal("/config/full_hash", "x"),
              HasSubstr("run/manifest.json, /config: /full_hash must be true or false"));
  EXPECT_THAT(refusal("/config/bos", nullptr), HasSubstr("run/manifest.json, /config: /bos must be"));
}

TEST_F(GuardCommand, FitExtractsFirstAndChoosesOnValidationPrompts) {
  const ProcessResult result = run_hrt({"guard",
                                        "fit",
                                        "--data",
                                        kCatalog,
                                        "--device",
                                        "cpu",
                                        "--set",
                                        roles("harmful", {"harmful_train"}),
                                        "--set",
                                        roles("harmless", {"harmless_train"}),
                                        "--set",
                                        roles("prompts", {"harmful_val", "harmless_val"}),
                                        "--fit-rows",
                                        "--false-positive-rate",
                                        "0.1",
                                        "--calibration",
                                        "isotonic",
                                        "--out",
                                        folder_ / "g.safetensors",
                                        "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const Json guard = Json::parse(result.out);
  EXPECT_THAT(guard.at("chosen").at("threshold"), HasSubstr("32 harmful and 32 harmless validation prompts"));
  EXPECT_EQ(guard.at("calibration").at("kind"), "isotonic");
  EXPECT_TRUE(fs::exists(folder_ / "g.extract/manifest.json"));
}

TEST_F(GuardCommand, ValidationPromptsThatTheGuardWasFittedToAreRefused) {
  const ProcessResult result =
      fit(folder_ / "g.safetensors", {"--validation", extraction(), "--calibration", "platt"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("fitted to 200 of these prompts"));
}

TEST_F(GuardCommand, OtherCommandsConfigsAndWordsAreNamed) {
  const ProcessResult config =
      run_hrt({"guard", "fit", "--config", kProject + "/configs/guard.json", "--out", folder_ / "g"});
  EXPECT_EQ(config.code, 2);
  EXPECT_THAT(config.err, AllOf(HasSubstr("/max_new_tokens is no key of `hrt guard fit`"),
                                HasSubstr("`hrt guard eval`")));
  EXPECT_THAT(run_hrt({"guard", "evl"}).err, HasSubstr("no command evl, did you mean eval?"));
}

}  // namespace
}  // namespace hrt::testing
