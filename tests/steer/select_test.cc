#include "hrt/steer/select.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>

#include <cmath>

#include "hrt/analysis/refusal_score.h"
#include "hrt/base/file.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/model/steering.h"
#include "hrt/steer/select_results.h"
#include "hrt/tensor/safetensors.h"
#include "temporary_folder.h"
#include "test_data.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(SelectResults, CountsWhatWasNotScoredAmongTheLateLayers) {
  const SelectResults results({10, {{-1, 3, -5, 1, 0.05}, {-1, 4, -6, -1, 0}, {-2, 3, NAN, 1, 0}}}, {}, 4);
  const Json json = results.to_json();
  EXPECT_EQ(json.at("removed"),
            (Json{{"not_a_number", 1}, {"late_layer", 4}, {"kl", 0}, {"induced_score", 1}}));
  EXPECT_EQ(json.at("chosen"), (Json{{"position", -1}, {"layer", 3}}));
  EXPECT_THAT(results.removal(), HasSubstr("of 7 candidates 1 "));
  EXPECT_EQ(results.to_csv(),
            "position,layer,refusal_score,steering_score,kl_div_score,removed_by\n"
            "-1,3,-5,1,0.05,\n-1,4,-6,-1,0,induced_score\n-2,3,,1,0,not_a_number\n");
}

TEST(SelectResults, ReadsBackWhatItWrote) {
  const SelectResults results({10, {{-1, 3, -5, 1, 0.05}, {-2, 3, NAN, 1, 0}}}, {});
  const TemporaryFolder folder;
  const ScoredCandidates again = read_scores(folder.write("results.json", results.to_json().dump(2)));
  EXPECT_EQ(again.layers, 10);
  ASSERT_EQ(again.candidates.size(), 2u);
  EXPECT_EQ(again.candidates.front(), results.candidates().front());
  EXPECT_TRUE(std::isnan(again.candidates.back().refusal_score));
}

TEST(ReadScores, TakesPythonsNanOutsideOfTexts) {
  const TemporaryFolder folder;
  const ScoredCandidates scored = read_scores(folder.write("s.json", R"({"note": "a \"NaN\" is no number",
      "layers": 4, "candidates": [{"position": -1, "layer": 2, "refusal_score": NaN, "steering_score": 1,
      "kl_div_score": null}]})"));
  ASSERT_EQ(scored.candidates.size(), 1u);
  EXPECT_TRUE(std::isnan(scored.candidates.front().refusal_score));
  EXPECT_TRUE(std::isnan(scored.candidates.front().kl));
  EXPECT_EQ(scored.candidates.front().induced_score, 1);
}

TEST(ReadScores, RefusesWhatIsNoSelection) {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& text) -> std::string {
    try {
      read_scores(folder.write("s.json", text));
    } catch (const InputError& caught) {
      return caught.what();
    }
    return "";
  };
  EXPECT_THAT(error("[]"), HasSubstr("must be an object"));
  EXPECT_THAT(error(R"({"layers": 4})"), HasSubstr("s.json: /candidates must be a list"));
  EXPECT_THAT(error(R"({"layers": 4, "candidates": [{"position": -1, "layer": 4}]})"),
              HasSubstr("/candidates/0/layer must lie in 0..3, found 4"));
  EXPECT_THAT(error(R"({"layers": 4, "candidates": [{"position": -1, "layer": 1, "kl_div_score": "x"}]})"),
              HasSubstr("/candidates/0/kl_div_score must be a finite number"));
}

// Python wrote scores that are not a number as NaN, which JSON has no word for.
Json released_choice(const fs::path& file) {
  std::string text = read_file(file);
  for (std::size_t at = text.find("NaN"); at != std::string::npos; at = text.find("NaN"))
    text.replace(at, 3, "null");
  return parse_json(text, file.string());
}

// The released candidates of three models lead to the released survivors, in order, and the released choice.
TEST(GoldensSelectScores, MakeTheReleasedChoices) {
  const fs::path folder = large_test_data() / "arditi2024";
  if (!fs::exists(folder)) GTEST_SKIP() << "no " << folder;
  for (const std::string model : {"gemma-2b-it", "llama-2-7b-chat-hf", "qwen-1_8b-chat"}) {
    const fs::path file = folder / (model + ".selection.json");
    const Json released = released_choice(file);
    const Json ours = SelectResults(read_scores(file), {}).to_json();
    EXPECT_EQ(ours.at("chosen"), released.at("chosen")) << model;
    EXPECT_EQ(ours.at("surviving"), released.at("surviving")) << model;
  }
}

// Every candidate of a trained model in miniature, beside plain jobs that are steered from their first token
// and block on, one candidate a call.
class GoldensSelect : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(model_)) GTEST_SKIP() << "no " << model_;
  }

  Json sources(const std::string& role, int limit) const {
    return Json::array({{{"file", (model_ / "prompts" / (role + ".jsonl")).string()}, {"limit", limit}}});
  }

  Json config(bool filter) const {
    Json harmful = sources("refused_harmful", 6);
    if (filter) harmful.push_back(sources("accepted_harmful", 6)[0]);
    return resolve_config(
        Command::kSelect, std::nullopt,
        {{"model", model_.string(), ""},
         {"harmful", harmful, ""},
         {"harmless", sources("accepted_harmless", 6), ""},
         {"extract",
          {{"harmful", sources("harmful_train", 20)}, {"harmless", sources("harmless_train", 20)}},
          ""},
         {"filter", filter, ""},
         {"max_kl", 1e9, ""},
         {"min_induced", -1e9, ""},
         {"device", "cpu", ""},
         {"out", folder_ / "run", ""}});
  }

  ExitCode run(const Json& config) const {
    RunOptions options;
    options.print = false;
    return run_select(config, options);
  }

  // The mean difference by another way: the extraction's centroids.
  at::Tensor vector_of(const Json& candidate) const {
    const SafetensorsFile centroids(folder_ / "run/extract/centroids.safetensors");
    const std::string position = std::to_string(candidate.at("position").get<int>());
    const auto layer = candidate.at("layer").get<std::int64_t>();
    return centroids.tensor("harmful." + position)[layer] - centroids.tensor("harmless." + position)[layer];
  }

  const fs::path model_ = large_test_data() / "organism-prototype";
  const TemporaryFolder folder_;
};

// Steered logits at the last token of every prompt with this label, [prompts, vocabulary].
at::Tensor direct_logits(const Decoder& decoder, const PromptSet& set, Label label,
                         const std::vector<Edit>& edits) {
  Steering steering(edits, decoder.spec().hidden);
  std::vector<Job> jobs;
  for (const PreparedPrompt& prompt : set.prompts) {
    if (prompt.record.label != label) continue;
    for (std::size_t e = 0; e < edits.size(); ++e)
      steering.assign(std::ssize(jobs), e, {0, TokenSpan::kToTheEnd});
    jobs.push_back({.tokens = prompt.prompt.ids});
  }
  EngineOptions options;
  options.logits = true;
  options.share_prefix = false;
  const Hook hook = steering.hook();
  std::vector<at::Tensor> logits;
  for (const JobResult& result : run_jobs(decoder, jobs, options, {}, {&hook, 1}))
    logits.push_back(result.logits);
  return at::stack(logits);
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

TEST_F(GoldensSelect, ScoresAreThoseOfPlainJobs) {
  const c10::InferenceMode inference;
  const Json settings = config(false);
  run(settings);
  const Json results = read_json(folder_ / "run/results.json");
  const PromptRun prompts(Command::kSelect, settings);
  const Decoder decoder = prompts.load();
  std::vector<std::int64_t> tokens;
  for (const Json& token : results.at("refusal_tokens")) tokens.push_back(token.at("id"));
  const at::Tensor base = direct_logits(decoder, prompts.set(), Label::kHarmless, {});

  ASSERT_EQ(results.at("candidates").size(), 5u * 4u);  // five tokens of ChatML, int(0.8 * 6) layers
  for (const Json& candidate : results.at("candidates")) {
    const at::Tensor vector = vector_of(candidate);
    std::vector<Edit> ablation;
    for (std::int64_t layer = 0; layer < decoder.spec().layers; ++layer) {
      for (const Site site : {Site::kBlockInput, Site::kAttentionOutput, Site::kMlpOutput})
        ablation.push_back({{layer, site}, Edit::Kind::kSetComponent, vector, 0});
    }
    const Edit addition{{candidate.at("layer"), Site::kBlockInput}, Edit::Kind::kAdd, vector, 1};
    const at::Tensor harmful = direct_logits(decoder, prompts.set(), Label::kHarmful, ablation);
    const at::Tensor harmless = direct_logits(decoder, prompts.set(), Label::kHarmless, ablation);
    const at::Tensor added = direct_logits(decoder, prompts.set(), Label::kHarmless, {addition});
    const auto expect_near = [&](const char* score, double direct) {
      const double limit = 2e-5 * std::max(1.0, std::abs(direct));
      EXPECT_NEAR(candidate.at(score).get<double>(), direct, limit) << score << " of " << candidate;
    };
    expect_near("refusal_score", mean(refusal_scores(harmful, tokens)));
    expect_near("steering_score", mean(refusal_scores(added, tokens)));
    expect_near("kl_div_score", mean(kl_divergences(base, harmless, kArditiKlEpsilon)));
  }
}

TEST_F(GoldensSelect, CountsOnlyWhatTheFilterLeaves) {
  ASSERT_EQ(run(config(true)), ExitCode::kDone);
  const Json results = read_json(folder_ / "run/results.json");
  const Json& harmful = results.at("validation").at("harmful");
  EXPECT_EQ(harmful.at("prompts"), 12);
  EXPECT_GE(harmful.at("counted"), 6);  // the six that it refuses
  EXPECT_LT(harmful.at("counted"), 12);
  const Json& unsteered = results.at("unsteered").at("harmful");
  EXPECT_EQ(unsteered.at("n"), harmful.at("counted"));
  EXPECT_GT(unsteered.at("value"), 0);
}

TEST_F(GoldensSelect, KeepsTheChosenDirection) {
  ASSERT_EQ(run(config(false)), ExitCode::kDone);
  const Json results = read_json(folder_ / "run/results.json");
  const Json& chosen = results.at("chosen");
  EXPECT_EQ(chosen, (Json{{"position", results.at("surviving")[0].at("position")},
                          {"layer", results.at("surviving")[0].at("layer")}}));
  EXPECT_EQ(results.at("chosen_scores").at("refusal_score").at("value"),
            results.at("surviving")[0].at("refusal_score"));
  EXPECT_LT(results.at("surviving")[0].at("refusal_score").get<double>(),
            results.at("unsteered").at("harmful").at("value").get<double>());
  const SafetensorsFile directions(folder_ / "run/directions.safetensors");
  EXPECT_EQ(directions.metadata().at("layer"), chosen.at("layer").dump());
  EXPECT_EQ(directions.metadata().at("position"), chosen.at("position").dump());
  const at::Tensor expected = vector_of(chosen);
  EXPECT_TRUE(directions.tensor("refusal_selected")
                  .allclose(expected, 1e-5, 1e-5 * expected.abs().max().item<double>()));
}

TEST_F(GoldensSelect, SaysSoWhenNoCandidateSurvives) {
  Json settings = config(false);
  settings["min_induced"] = 1e9;
  EXPECT_EQ(run(settings), ExitCode::kCheckFailed);
  const Json results = read_json(folder_ / "run/results.json");
  EXPECT_TRUE(results.at("chosen").is_null());
  EXPECT_EQ(results.at("removed").at("induced_score"), 20);
  EXPECT_EQ(results.at("removed").at("late_layer"), 10);
  const SafetensorsFile directions(folder_ / "run/directions.safetensors");
  EXPECT_TRUE(directions.tensors().empty());
  EXPECT_THAT(directions.metadata().at("absent.refusal_selected"), HasSubstr("20 induce no refusal"));
}

TEST_F(GoldensSelect, NeedsPostInstructionTokens) {
  Json settings = config(false);
  settings["template"] = "raw";
  EXPECT_THROW(run(settings), InputError);
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

}  // namespace
}  // namespace hrt
