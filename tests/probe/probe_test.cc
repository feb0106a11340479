// Whole analyses of a small run with known structure.

#include "hrt/probe/probe.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/strings.h"
#include "stored_extraction.h"

namespace hrt::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Harm along the first axis at t_inst, refusal along the second at t_post_inst, and noise.
class ProbeTest : public ::testing::Test {
 protected:
  ProbeTest() {
    at::manual_seed(3);
    std::vector<at::Tensor> inst;
    std::vector<at::Tensor> post;
    for (int i = 0; i < 48; ++i) {
      const bool harmful = i % 2 == 0;
      const bool refused = i % 4 < 2;
      prompts_.push_back({std::to_string(i),
                          harmful ? "harmful" : "harmless",
                          refused ? "refused" : "accepted",
                          {{"category", i % 3 == 0 ? "x" : "y"}, {"pair", i / 4}}});
      inst.push_back(at::randn({1, 2, 6}) * 0.3 + axis(0, harmful ? 1 : -1));
      post.push_back(at::randn({1, 2, 6}) * 0.3 + axis(1, refused ? 1 : -1));
    }
    run_ = store_extraction(folder_, "run", prompts_,
                            {{"t_inst", at::cat(inst)}, {"t_post_inst", at::cat(post)}});
  }

  static at::Tensor axis(std::int64_t number, double value) {
    at::Tensor rows = at::full({1, 2, 6}, 0.5);
    rows.select(2, number).fill_(value);
    return rows;
  }

  // results.json of an analysis.
  Json probe(const std::string& analysis, std::vector<Override> more = {}) const {
    std::vector<Override> overrides{
        {"analysis", analysis, ""}, {"runs", {run_}, "RUN"}, {"out", folder_ / analysis, "--out"}};
    overrides.insert(overrides.end(), more.begin(), more.end());
    RunOptions options;
    options.print = false;
    options.if_exists = IfExists::kOverwrite;
    EXPECT_EQ(run_probe(resolve_config(Command::kProbe, std::nullopt, overrides), options), ExitCode::kDone);
    return read_json(folder_ / (analysis + "/results.json"));
  }
  std::vector<std::string> csv(const std::string& name) const {
    return split(trim(read_file(folder_ / name)), '\n');
  }

  const TemporaryFolder folder_;
  std::vector<StoredPrompt> prompts_;
  std::string run_;
};

TEST_F(ProbeTest, LayersTellHarmAtTheInstructionAndRefusalBehindIt) {
  const Json results = probe("layers", {{"clusters", "label", ""}});
  const Json& inst = results.at("positions").at("t_inst");
  EXPECT_EQ(inst.at("groups").at("accepted_harmful").at("n"), 12);
  EXPECT_EQ(inst.at("groups").at("accepted_harmful").at("by_row")[1].at("above_0").at("count"), 12);
  EXPECT_EQ(inst.at("groups").at("refused_harmless").at("by_row")[0].at("above_0").at("count"), 0);
  EXPECT_EQ(inst.at("quality")[0].at("auroc_label").at("value"), 1);
  EXPECT_LT(inst.at("quality")[0].at("auroc_outcome").at("value"), 0.8);
  EXPECT_GT(inst.at("quality")[0].at("silhouette_label"), 0.4);
  EXPECT_LT(inst.at("quality")[0].at("silhouette_outcome"), 0.2);
  EXPECT_EQ(csv("layers/layers.csv").size(), 1 + 2 * 4 * 2);
  EXPECT_EQ(csv("layers/quality.csv").size(), 1 + 2 * 2);
}

TEST_F(ProbeTest, BeliefsArePerPromptByGroupAndTogether) {
  const Json results = probe("beliefs");
  const Json& group = results.at("groups").at("accepted_harmful");
  EXPECT_EQ(group.at("delta_harmful").at("all_rows").at("above_0").at("count"), 12);
  EXPECT_EQ(group.at("delta_refuse").at("all_rows").at("above_0").at("count"), 0);
  EXPECT_EQ(group.at("believed").at("harmful_accept"), 12);
  double sum = 0;
  for (const Json& prompt : results.at("prompts")) {
    const std::size_t i = std::stoul(prompt.at("id").get<std::string>());
    if (i % 4 == 2) sum += prompt.at("delta_harmful").at("all_rows").get<double>();
  }
  EXPECT_NEAR(group.at("delta_harmful").at("all_rows").at("mean").at("value"), sum / 12, 1e-9);
  const Json& together = results.at("over_all_prompts").at("all_rows");
  EXPECT_EQ(together.at("auroc").at("delta_harmful_for_harm").at("value"), 1);
  EXPECT_EQ(together.at("auroc").at("delta_refuse_for_refusal").at("value"), 1);
  EXPECT_LT(std::abs(together.at("pearson").at("value").get<double>()), 0.3);
  EXPECT_EQ(csv("beliefs/beliefs.csv").size(), 49);
}

TEST_F(ProbeTest, CategoriesHaveCountsIntervalsAndACeiling) {
  const Json results = probe("categories");
  const Json& harm = results.at("harmfulness");
  ASSERT_EQ(harm.at("categories").size(), 2);
  EXPECT_EQ(harm.at("categories")[0].at("name"), "x");
  EXPECT_EQ(harm.at("categories")[0].at("n"), 8);
  EXPECT_EQ(harm.at("categories")[0].at("mean_with_others"), harm.at("cosines")[0][1]);
  EXPECT_GT(harm.at("cosines")[0][1], 0.9);  // one direction for both
  EXPECT_GT(harm.at("categories")[0].at("ceiling"), harm.at("categories")[0].at("split_half"));
  EXPECT_EQ(results.at("refusal").at("categories")[0].at("n"), 4);
  EXPECT_EQ(csv("categories/cosines.csv").size(), 1 + 2 * 3 * 4);  // two kinds, mean and two rows
}

TEST_F(ProbeTest, PositionsAreComparedByTheSameScore) {
  const Json results = probe("positions", {{"clusters", "label", ""}});
  EXPECT_EQ(results.at("positions").at("t_inst").at("auroc_label").at("value"), 1);
  EXPECT_LT(results.at("positions").at("t_post_inst").at("auroc_label").at("value"), 0.8);
  EXPECT_EQ(results.at("positions").at("t_inst").at("token").at("text"), "x");
  EXPECT_FALSE(results.at("positions").at("t_inst").contains("same_as"));
  EXPECT_EQ(results.at("positions").at("t_post_inst").at("same_as"), "t_inst") << "prompts of one token";
}

TEST_F(ProbeTest, ThePlaneHasCentresAndTheCosineOfTheDirections) {
  const Json results = probe("plane");
  const Json& centre = results.at("groups").at("refused_harmless");
  EXPECT_EQ(centre.at("n"), 12);
  EXPECT_LT(centre.at("delta_harmful"), 0);
  EXPECT_GT(centre.at("delta_refuse"), 0);
  EXPECT_GT(centre.at("ellipse").at("major"), centre.at("ellipse").at("minor"));
  ASSERT_EQ(results.at("cosine").size(), 2);
  EXPECT_LT(results.at("cosine")[0].at("low"), results.at("cosine")[0].at("value"));
}

TEST_F(ProbeTest, LinearProbesAreHeldOutByGroup) {
  const Json results = probe("linear", {{"fold_by", "pair", ""}});
  const Json& harm = results.at("targets").at("harm");
  EXPECT_EQ(harm.at("n"), 48);
  EXPECT_GT(harm.at("positions").at("t_inst")[0].at("logistic").at("auroc").at("value"), 0.95);
  EXPECT_GT(harm.at("positions").at("t_inst")[0].at("difference_of_means").at("auroc").at("value"), 0.95);
  EXPECT_LT(harm.at("positions").at("t_post_inst")[0].at("logistic").at("auroc").at("value"), 0.8);
  EXPECT_EQ(csv("linear/linear.csv").size(), 1 + 2 + 2 * 2 * 2 * 2);
}

TEST_F(ProbeTest, ComparisonsPairPromptsById) {
  std::vector<StoredPrompt> reversed(prompts_.rbegin(), prompts_.rend());
  const std::string other =
      store_extraction(folder_, "other", reversed,
                       {{"t_inst", at::randn({48, 2, 6})}, {"t_post_inst", at::randn({48, 2, 6})}}, "xyz");
  const Json same = probe(
      "compare", {{"runs", {run_, run_}, "RUN"}, {"variants", {{{"name", "one"}}, {{"name", "two"}}}, ""}});
  const auto change = [](const Json& results, const char* variant) {
    return results.at("variants")
        .at(variant)
        .at("delta_harmful")
        .at("accepted_harmful")
        .at("own_centroids")
        .at("change");
  };
  EXPECT_EQ(change(same, "two").at("value"), 0);
  EXPECT_EQ(change(same, "two").at("n"), 12);
  EXPECT_THAT(same.at("variants")
                  .at("one")
                  .at("delta_refuse")
                  .at("accepted_harmful")
                  .at("first_centroids")
                  .at("missing"),
              HasSubstr("the scored prompts are among the first's centroids"));
  const Json results = probe("compare", {{"runs", {run_, other}, "RUN"}});
  EXPECT_LT(change(results, "other").at("high"), 0);  // noise knows no harm
}

TEST_F(ProbeTest, WhatCannotBeDoneIsSaid) {
  const auto refuses = [&](std::vector<Override> overrides, const char* message) {
    EXPECT_THAT([&] { run_probe(resolve_config(Command::kProbe, std::nullopt, overrides), {}); },
                ThrowsMessage<InputError>(HasSubstr(message)));
  };
  refuses({}, "no analysis");
  refuses({{"analysis", "layers", ""}}, "no run: give RUN");
  refuses({{"analysis", "compare", ""}, {"runs", {run_}, "RUN"}}, "at least two runs");
  refuses({{"analysis", "layers", ""}, {"runs", {folder_ / "gone"}, "RUN"}}, "gone");
}

}  // namespace
}  // namespace hrt::testing
