// Runs as they lie on disk: which prompts are scored, and that none is part of its own centroids.

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>

#include <cmath>

#include "hrt/base/error.h"
#include "hrt/probe/source.h"
#include "stored_extraction.h"

namespace hrt::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using Vector = std::vector<double>;

Vector vector_of(const at::Tensor& row) {
  const at::Tensor values = row.to(at::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

double cosine(const Vector& a, const Vector& b) {
  double product = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return product / std::sqrt(aa * bb);
}

Vector mean(const std::vector<Vector>& vectors) {
  Vector sum(vectors.front().size());
  for (const Vector& vector : vectors) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += vector[i] / static_cast<double>(vectors.size());
  }
  return sum;
}

class RunSourceTest : public ::testing::Test {
 protected:
  const std::vector<StoredPrompt> prompts_{{"a", "harmful", "refused", {{"role", "bad"}}},
                                           {"b", "harmful", "refused", {{"role", "bad"}}},
                                           {"c", "harmful", "accepted", {{"role", "bad"}}},
                                           {"d", "harmless", "accepted", {{"role", "good"}}},
                                           {"e", "harmless", "accepted", {{"role", "good"}}},
                                           {"f", "harmless", "refused", {{"role", "test"}, {"kind", "odd"}}},
                                           {"g", "harmful", "accepted", {{"role", "test"}}}};
  const at::Tensor rows_ = at::randn({7, 2, 5});

  std::string store(const std::string& name = "run", const std::string& model = "abc") const {
    return store_extraction(folder_, name, prompts_, {{"t_inst", rows_}, {"t_post_inst", rows_ * 2 + 1}},
                            model);
  }
  Json config(std::vector<Override> overrides) const {
    return resolve_config(Command::kProbe, std::nullopt, overrides);
  }
  Vector row(std::int64_t prompt, std::int64_t row) const { return vector_of(rows_[prompt][row]); }
  // s[l] of a prompt against the means of others, written down as the formula stands.
  double expected(std::int64_t prompt, std::int64_t row_number, const std::vector<std::int64_t>& plus,
                  const std::vector<std::int64_t>& minus) const {
    std::vector<Vector> of_plus;
    std::vector<Vector> of_minus;
    for (const std::int64_t i : plus) of_plus.push_back(row(i, row_number));
    for (const std::int64_t i : minus) of_minus.push_back(row(i, row_number));
    const Vector h = row(prompt, row_number);
    return cosine(h, mean(of_plus)) - cosine(h, mean(of_minus));
  }

  const TemporaryFolder folder_;
};

TEST_F(RunSourceTest, WithoutAnyWordEachPromptIsLeftOutOfItsCentroids) {
  const auto source = open_source(config({{"runs", {store()}, "RUN"}}));
  EXPECT_EQ(source->describe().at("held_out"), "leave_one_out");
  const auto scores = source->scores("t_inst", kLabelClusters);
  ASSERT_EQ(scores.size(), 7);
  for (const std::int64_t r : {0, 1}) {
    const auto at = static_cast<std::size_t>(r);
    EXPECT_NEAR(*scores[0][at], expected(0, r, {1, 2, 6}, {3, 4, 5}), 1e-6);
    EXPECT_NEAR(*scores[4][at], expected(4, r, {0, 1, 2, 6}, {3, 5}), 1e-6);
  }
  // A prompt of neither cluster is scored against all of both.
  const auto by_outcome = source->scores("t_inst", kOutcomeClusters);
  EXPECT_NEAR(*by_outcome[6][1], expected(6, 1, {0, 1}, {3, 4}), 1e-6);
}

TEST_F(RunSourceTest, RolesSplitCentroidsAndScoredPrompts) {
  const auto source = open_source(config({{"runs", {store()}, "RUN"},
                                          {"harmful", {{{"role", "bad"}}}, ""},
                                          {"harmless", {{{"role", "good"}}}, ""},
                                          {"prompts", {{{"role", "test"}}}, ""}}));
  EXPECT_EQ(source->describe().at("held_out"), "split");
  ASSERT_EQ(source->prompts().size(), 2);
  EXPECT_EQ(source->prompts()[0].id, "f");
  const auto scores = source->scores("t_inst", kLabelClusters);
  EXPECT_NEAR(*scores[1][0], expected(6, 0, {0, 1, 2}, {3, 4}), 1e-6);
  const PositionRows rows = source->rows_at("t_post_inst");
  EXPECT_THAT(rows.prompts, ElementsAre(0, 1));
  EXPECT_TRUE(rows.rows[1].equal(rows_[6] * 2 + 1));
  EXPECT_EQ(source->centroid("refused_harmful", "t_inst")->count, 2);
  EXPECT_FALSE(source->centroid("refused_harmless", "t_inst"));
}

TEST_F(RunSourceTest, ARunOfItsOwnMakesTheCentroids) {
  const std::string train = store("train");
  const at::Tensor test_rows = at::randn({1, 2, 5});
  const std::string test = store_extraction(folder_, "test", {{"z", "harmful", "accepted"}},
                                            {{"t_inst", test_rows}, {"t_post_inst", test_rows}});
  const auto source = open_source(config({{"runs", {test}, "RUN"}, {"centroids", train, "--centroids"}}));
  ASSERT_EQ(source->prompts().size(), 1);
  EXPECT_EQ(source->prompts()[0].id, "z");
  EXPECT_EQ(source->centroid("harmful", "t_inst")->count, 4);
}

TEST_F(RunSourceTest, TheSameTextUnderAnotherIdIsAnErrorUnlessAllowed) {
  const at::Tensor rows = at::randn({1, 2, 5});
  const std::string test =
      store_extraction(folder_, "test", {{"z", "harmful", "accepted", {{"instruction", "do c"}}}},
                       {{"t_inst", rows}, {"t_post_inst", rows}});
  std::vector<Override> overrides{{"runs", {test}, "RUN"}, {"centroids", store(), "--centroids"}};
  EXPECT_THAT(
      [&] { open_source(config(overrides)); },
      ThrowsMessage<InputError>(HasSubstr("1 scored prompt is also among those that make the centroids "
                                          "(such as z, there c)")));
  overrides.push_back({"allow_overlap", true, "--allow-overlap"});
  EXPECT_THAT(open_source(config(overrides))->describe().at("overlap").get<std::string>(),
              HasSubstr("1 scored"));
}

TEST_F(RunSourceTest, WhatDoesNotFitIsNamed) {
  const std::string run = store();
  const std::string other = store("other", "another model");
  EXPECT_THAT(
      [&] {
        open_source(config({{"runs", {run, other}, "RUN"}}));
      },
      ThrowsMessage<InputError>(HasSubstr("other: made with another model than")));
  EXPECT_THAT(
      [&] {
        open_source(config({{"runs", {run}, "RUN"}, {"prompts", {{{"role", "tset"}}}, ""}}));
      },
      ThrowsMessage<InputError>(
          HasSubstr("no prompt of the role tset in the run (roles there: bad, good, test)")));
  EXPECT_THAT(
      [&] {
        open_source(config({{"runs", {run}, "RUN"}}))->rows_at("t_inst+1");
      },
      ThrowsMessage<InputError>(HasSubstr("no rows at t_inst+1 (positions there: t_inst, t_post_inst)")));
  EXPECT_THAT([&] { open_source(config({})); }, ThrowsMessage<InputError>(HasSubstr("no run")));
}

}  // namespace
}  // namespace hrt::testing
