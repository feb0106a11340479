// The released Qwen2-7B tensors of Zhao et al. (arXiv 2507.11878): what the notebook beside them shows.

#include <ATen/ops/stack.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <numeric>

#include "hrt/analysis/categories.h"
#include "hrt/analysis/scores.h"
#include "hrt/tensor/tensor_file.h"
#include "test_data.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRows = 29;

class GoldensReleasedTensors : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(folder_)) GTEST_SKIP() << "no " << folder_;
    std::iota(rows_.begin(), rows_.end(), std::int64_t{0});
  }

  at::Tensor only(const std::string& name) const {
    const TensorFile file(folder_ / name);
    return file.tensor(file.only().name);
  }

  // To the six digits that the notebook prints.
  void expect_beliefs(std::int64_t position, const std::string& plus, const std::string& minus,
                      const std::array<const char*, 5>& expected) const {
    const at::Tensor prompts = only("qwen-hl-refuse5-all-layer-2pos.pt").select(2, position).transpose(0, 1);
    const auto scores = centroid_scores(prompts, CentroidScorer(only(plus), only(minus)));
    ASSERT_EQ(scores.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(fmt::format("{:.6f}", *row_mean(scores[i], rows_).all_rows), expected[i]) << i;
    }
  }

  fs::path folder_ = large_test_data() / "zhao2025";
  std::array<std::int64_t, kRows> rows_{};
};

TEST_F(GoldensReleasedTensors, BeliefsOfHarmfulnessAreThePublishedOnes) {
  expect_beliefs(0, "qwen-hf-cls-all-layer.pt", "qwen-hl-cls-all-layer.pt",
                 {"-0.056059", "-0.027839", "-0.044894", "-0.043114", "-0.039890"});
}

TEST_F(GoldensReleasedTensors, BeliefsOfRefusalAreThePublishedOnes) {
  expect_beliefs(1, "qwen-refuse-cls-all-layer.pt", "qwen-accept-cls-all-layer.pt",
                 {"0.009189", "0.009645", "0.015864", "0.008792", "0.014578"});
}

// At t_post_inst the token is the same in every prompt and in both clusters: row 0 scores 0, and counts.
TEST_F(GoldensReleasedTensors, RefusalScoresOfRow0AreZero) {
  const at::Tensor prompts = only("qwen-hl-refuse5-all-layer-2pos.pt").select(2, 1).transpose(0, 1);
  const CentroidScorer scorer(only("qwen-refuse-cls-all-layer.pt"), only("qwen-accept-cls-all-layer.pt"));
  for (const RowScores& scores : centroid_scores(prompts, scorer)) EXPECT_EQ(scores[0], 0.0);
}

// numpy 2 in float64, rows 1 to 28.
TEST_F(GoldensReleasedTensors, CategoriesHaveTheirMeanCosinesWithTheOthers) {
  const std::vector<std::pair<std::string, double>> categories{
      {"Adult_Content", 0.6205365343620708},
      {"Child_Abuse", 0.5897944188045651},
      {"Economic_Harm", 0.6483638366924329},
      {"Fraud_Deception", 0.6712252972825865},
      {"Hate_Harass_Violence", 0.573592123204422},
      {"Illegal_Activity", 0.7017035491930953},
      {"Malware_Viruses", 0.6399031926691062},
      {"Physical_Harm", 0.6312761352607413},
      {"Political_Campaigning", 0.6260779156236793},
      {"Privacy_Violation_Activity", 0.6222870076692286},
      {"Tailored_Financial_Advice", 0.5724035422619529}};
  std::vector<at::Tensor> directions;
  for (const auto& [name, mean] : categories) directions.push_back(only("qwen-hf-dir-" + name + ".pt"));
  const auto matrices = cosine_matrices(at::stack(directions));
  ASSERT_EQ(matrices.size(), static_cast<std::size_t>(kRows));
  const auto means = mean_with_others(mean_matrix(matrices, rows_));
  for (std::size_t i = 0; i < categories.size(); ++i) {
    EXPECT_NEAR(*means[i], categories[i].second, 1e-12) << categories[i].first;
  }
}

}  // namespace
}  // namespace hrt
