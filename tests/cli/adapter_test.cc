// `--adapter` as the commands take it; what it computes is compared in tests/model/adapter_test.cc.

#include <gmock/gmock.h>

#include <filesystem>

#include "hrt/base/json.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kModel = tiny_checkpoint("llama-gqa-tied");
const std::string kAdapter = std::string(HRT_SOURCE_DIR) + "/tests/model/adapters/list";

class AdapterRun : public ::testing::Test {
 protected:
  ProcessResult extract(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"extract", "--model",    kModel,         "--prompts",
                                       prompts_,  "--template", "raw",          "--device",
                                       "cpu",     "--out",      folder_ / "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_hrt(arguments);
  }
  Json manifest() const { return read_json(folder_ / "run/manifest.json"); }

  TemporaryFolder folder_;
  std::string prompts_ = folder_.write("p.jsonl", token_prompts(4, 6, 80));
};

TEST_F(AdapterRun, StandsInTheManifestAndInTheIdentity) {
  ASSERT_EQ(extract({}).code, 0);
  const Json without = manifest();
  EXPECT_FALSE(without.at("model").contains("adapter"));

  const ProcessResult resumed = extract({"--adapter", kAdapter, "--resume"});
  EXPECT_EQ(resumed.code, 2);
  EXPECT_THAT(resumed.err, HasSubstr("cannot be resumed: /model is another one, by its fingerprint"));

  ASSERT_EQ(extract({"--adapter", kAdapter, "--overwrite"}).code, 0);
  const Json with = manifest();
  EXPECT_EQ(with.at("model").at("adapter").at("path"), kAdapter);
  EXPECT_EQ(with.at("model").at("adapter").at("maps"), 6);
  EXPECT_NE(with.at("identity").at("model"), without.at("identity").at("model"));
  EXPECT_EQ(extract({"--adapter", kAdapter, "--resume"}).code, 0);
}

TEST_F(AdapterRun, OfAnotherModelIsRefused) {
  const ProcessResult result = extract({"--adapter", kAdapter + "/../gpt2"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("adapter_model.safetensors: tensor base_model.model.transformer.h.0"),
                    HasSubstr("has no place")));
  EXPECT_THAT(extract({"--adapter", kModel}).err, HasSubstr("no adapter_config.json, so no PEFT adapter"));
  EXPECT_THAT(extract({"--adapter", "nowhere"}).err, HasSubstr("--adapter nowhere: no such folder"));
}

TEST_F(AdapterRun, IsNamedByLogAndPlanWithItsBase) {
  const std::string line = "LoRA of rank 4 on 6 maps, 1,472 parameters, made on llama-gqa-tied: " + kAdapter;
  EXPECT_THAT(extract({"--adapter", kAdapter}).err,
              AllOf(HasSubstr("hrt: model " + kModel + " (llama, 23,520 parameters)\n"),
                    HasSubstr("hrt: adapter " + line + "\n"), Not(HasSubstr("warning: the adapter"))));
  const std::vector<std::string> dry{"--adapter", kAdapter, "--overwrite", "--dry-run"};
  EXPECT_THAT(extract(dry).out, AllOf(HasSubstr("model      " + kModel + " (llama, 23,520 parameters)\n"),
                                      HasSubstr("adapter    " + line + "\n")));
  std::vector<std::string> json = dry;
  json.push_back("--json");
  EXPECT_EQ(parse_json(extract(json).out, "stdout").at("model").at("adapter").at("base_model"),
            "llama-gqa-tied");
}

TEST_F(AdapterRun, MadeOnAnotherModelIsAWarning) {
  const std::string copy = folder_ / "other";
  std::filesystem::copy(kModel, copy);
  const ProcessResult result = extract({"--model", copy, "--adapter", kAdapter});
  ASSERT_EQ(result.code, 0) << result.err;
  const std::string warning =
      "the adapter was made on llama-gqa-tied, and this model is other: it fits its own base alone";
  EXPECT_THAT(result.err, HasSubstr("hrt: warning: " + warning + "\n"));
  EXPECT_EQ(manifest().at("warnings").at(0), warning);
}

TEST_F(AdapterRun, IsShownByInspect) {
  EXPECT_THAT(run_hrt({"inspect", kModel, "--adapter", kAdapter}).out,
              AllOf(HasSubstr("LoRA of rank 4 on 6 maps"), HasSubstr("made on llama-gqa-tied")));
  const ProcessResult prompt = run_hrt({"inspect", kModel, "--adapter", kAdapter, "--prompts", prompts_});
  EXPECT_EQ(prompt.code, 2);
  EXPECT_THAT(prompt.err, HasSubstr("--prompt and --prompts do not go with --adapter"));
  const ProcessResult file = run_hrt({"inspect", prompts_, "--adapter", kAdapter});
  EXPECT_EQ(file.code, 2);
  EXPECT_THAT(file.err, HasSubstr("expected a checkpoint (config.json), which --adapter is for"));
}

// The folder alone is what people try first.
TEST_F(AdapterRun, AnAdapterIsNoModel) {
  EXPECT_THAT(run_hrt({"extract", "--model", kAdapter, "--prompts", prompts_, "--out", folder_ / "run"}).err,
              HasSubstr("give its base model as --model, and this folder as --adapter"));
}

}  // namespace
}  // namespace hrt::testing
