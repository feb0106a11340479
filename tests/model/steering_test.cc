#include "hrt/model/steering.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

#include "golden.h"
#include "hrt/base/error.h"
#include "hrt/base/random.h"
#include "hrt/model/engine.h"

namespace hrt {
namespace {

using Kind = Edit::Kind;

constexpr HookPoint kPoint{1, Site::kBlockInput};

// Rows 0..4 of job 7, as a hook sees them.
class SteeredRows : public testing::Test {
 protected:
  static TokenMap map() { return {{7, 7, 7, 7, 7}, {0, 1, 2, 3, 4}, {1, 1, 1, 1, 1}}; }

  // The rows after `edits`, all of them on `span`.
  at::Tensor after(const std::vector<Edit>& edits, TokenSpan span = {0, 5}) {
    Steering steering(edits, 4);
    for (std::size_t i = 0; i < edits.size(); ++i) steering.assign(7, i, span);
    at::Tensor values = rows_.clone();
    const Hook hook = steering.hook();
    EXPECT_TRUE(hook.wants(kPoint));
    hook(kPoint, map(), values);
    tallies_ = steering.tallies();
    return values;
  }

  static Edit edit(Kind kind, double amount, std::vector<float> vector = {3, 0, 4, 0}) {
    return {kPoint, kind, at::tensor(vector), amount};
  }

  at::Tensor rows_ = [] {
    Random random(5);
    std::vector<float> values;
    for (int i = 0; i < 20; ++i) values.push_back(static_cast<float>(random.normal()));
    return at::tensor(values).view({5, 4});
  }();
  at::Tensor unit_ = at::tensor({0.6F, 0.0F, 0.8F, 0.0F});
  std::vector<EditTally> tallies_;
};

TEST_F(SteeredRows, AddAddsTheRawVectorOnItsTokensAlone) {
  const at::Tensor change = after({edit(Kind::kAdd, 2)}, {1, 3}) - rows_;
  const at::Tensor expected = at::tensor({6.0F, 0.0F, 8.0F, 0.0F});
  for (const std::int64_t row : {1, 2}) EXPECT_TRUE(change[row].allclose(expected, 1e-5, 1e-5));
  for (const std::int64_t row : {0, 3, 4}) EXPECT_EQ(change[row].abs().max().item<float>(), 0);
  EXPECT_EQ(tallies_[0].tokens, 2);
  const double by_hand = 10.0 / rows_[1].norm().item<double>() + 10.0 / rows_[2].norm().item<double>();
  EXPECT_NEAR(tallies_[0].norm_change, by_hand, 1e-5);
}

TEST_F(SteeredRows, AddShareScalesWithEachRowsNorm) {
  const at::Tensor change = after({edit(Kind::kAddShare, 0.5)}) - rows_;
  for (std::int64_t row = 0; row < 5; ++row) {
    EXPECT_TRUE(change[row].allclose(0.5 * rows_[row].norm() * unit_, 1e-4, 1e-5));
  }
  EXPECT_NEAR(tallies_[0].mean_change(), 0.5, 1e-5);
}

TEST_F(SteeredRows, AblatingLeavesNoComponentAndTwiceEqualsOnce) {
  const at::Tensor once = after({edit(Kind::kSetComponent, 0)});
  EXPECT_LT(once.matmul(unit_).abs().max().item<float>(), 1e-6);
  EXPECT_TRUE(once.select(1, 1).equal(rows_.select(1, 1)));
  const at::Tensor twice = after({edit(Kind::kSetComponent, 0), edit(Kind::kSetComponent, 0)});
  EXPECT_TRUE(twice.allclose(once, 1e-6, 1e-6));
}

TEST_F(SteeredRows, ClampingAndAddingAfterAblatingGiveTheStatedComponent) {
  const at::Tensor clamped = after({edit(Kind::kSetComponent, 1.5)}).matmul(unit_);
  EXPECT_TRUE(clamped.allclose(at::full({5}, 1.5F), 1e-6, 1e-6));
  const at::Tensor added = after({edit(Kind::kSetComponent, 0), edit(Kind::kAdd, 2)}).matmul(unit_);
  EXPECT_TRUE(added.allclose(at::full({5}, 10.0F), 1e-6, 1e-6));
}

TEST_F(SteeredRows, ZeroChangesNoBit) {
  EXPECT_TRUE(after({edit(Kind::kAdd, 0)}).equal(rows_));
  EXPECT_TRUE(after({edit(Kind::kAddShare, 0)}).equal(rows_));
  for (const Kind kind : {Kind::kAdd, Kind::kAddShare, Kind::kSetComponent}) {
    EXPECT_TRUE(after({edit(kind, 3, {0, 0, 0, 0})}).equal(rows_));
    EXPECT_EQ(tallies_[0].tokens, 5);
    EXPECT_EQ(tallies_[0].norm_change, 0);
  }
}

TEST_F(SteeredRows, EditsOfSeveralJobsStandSideBySide) {
  Steering steering({edit(Kind::kAdd, 1), edit(Kind::kSetComponent, 0)}, 4);
  steering.assign(1, 0, {0, 9});
  steering.assign(2, 1, {1, 9});
  at::Tensor values = rows_.clone();
  steering.hook()(kPoint, {{1, 1, 2, 2, 3}, {4, 5, 0, 1, 0}, {1, 6, 1, 1, 1}}, values);
  const at::Tensor change = values - rows_;
  EXPECT_TRUE(change[1].allclose(at::tensor({3.0F, 0.0F, 4.0F, 0.0F}), 1e-5, 1e-5));
  EXPECT_EQ(change[2].abs().max().item<float>(), 0);
  EXPECT_NEAR(values[3].matmul(unit_).item<float>(), 0, 1e-6);
  EXPECT_EQ(change[4].abs().max().item<float>(), 0);
  EXPECT_EQ(steering.tallies()[0].tokens, 1 + 6);  // the second row stands for six jobs
}

TEST_F(SteeredRows, VectorsThatDoNotFitAreRefused) {
  EXPECT_THROW(Steering({edit(Kind::kAdd, 1, {1, 2, 3})}, 4), InputError);
  EXPECT_THROW(Steering({edit(Kind::kAdd, 1, {1, 2, 3, std::numeric_limits<float>::quiet_NaN()})}, 4),
               InputError);
}

// The whole decoder with a hook that adds nothing is bit for bit the decoder without.
TEST(SteeredDecoder, CoefficientZeroChangesNoBit) {
  const test::TinyModel model("llama-gqa-tied");
  std::vector<Edit> edits;
  for (const Site site : {Site::kBlockInput, Site::kAttentionOutput, Site::kMlpOutput}) {
    for (std::int64_t layer = 0; layer < model.decoder.spec().layers; ++layer) {
      edits.push_back({{layer, site}, Kind::kAdd, at::full({model.decoder.spec().hidden}, 1.0F), 0});
    }
  }
  Steering steering(edits, model.decoder.spec().hidden);
  const std::vector<Job> jobs = model.jobs();
  for (std::size_t job = 0; job < jobs.size(); ++job) {
    for (std::size_t e = 0; e < edits.size(); ++e) {
      steering.assign(static_cast<std::int64_t>(job), e, {0, TokenSpan::kToTheEnd});
    }
  }
  const Hook hook = steering.hook();
  const auto plain = run_jobs(model.decoder, jobs, model.everything());
  const auto steered = run_jobs(model.decoder, jobs, model.everything(), {}, {&hook, 1});
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_TRUE(steered[i].rows.equal(plain[i].rows));
    EXPECT_TRUE(steered[i].logits.equal(plain[i].logits));
    EXPECT_EQ(steered[i].reply, plain[i].reply);
  }
  for (const EditTally& tally : steering.tallies()) EXPECT_GT(tally.tokens, 0);
}

}  // namespace
}  // namespace hrt
