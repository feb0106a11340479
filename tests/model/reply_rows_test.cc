// Rows of the residual stream at the tokens of a reply, captured while it is written.

#include <gtest/gtest.h>

#include <numeric>

#include "golden.h"
#include "hrt/base/error.h"
#include "hrt/base/random.h"
#include "hrt/model/engine.h"

namespace hrt {
namespace {

using test::TinyModel;
using test::worst_difference;

constexpr double kTolerance = 2e-5;
constexpr std::int64_t kNewTokens = 9;

// Prompts of 1 to 40 tokens after three common ones; of each, its last token and all new ones are captured.
std::vector<Job> prompts(std::int64_t vocabulary) {
  Random random(11);
  std::vector<Job> jobs(40);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    jobs[i].tokens = {5, 6, 7};
    for (std::size_t t = 0; t <= i; ++t)
      jobs[i].tokens.push_back(
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(vocabulary))));
    jobs[i].max_new_tokens = kNewTokens;
    jobs[i].capture.resize(1 + kNewTokens);
    std::iota(jobs[i].capture.begin(), jobs[i].capture.end(),
              static_cast<std::int64_t>(jobs[i].tokens.size()) - 1);
  }
  return jobs;
}

// What the prompt and its reply give as one prompt: the same tokens' rows, as far as the reply goes.
at::Tensor rows_at_once(const TinyModel& model, Job job, const JobResult& result, EngineOptions options) {
  job.tokens.insert(job.tokens.end(), result.reply.begin(), result.reply.end());
  std::erase_if(job.capture,
                [&](std::int64_t token) { return std::cmp_greater_equal(token, job.tokens.size()); });
  job.max_new_tokens = 0;
  options.share_prefix = false;
  return run_jobs(model.decoder, {&job, 1}, options)[0].rows;
}

class ReplyRows : public testing::TestWithParam<std::string> {
 protected:
  void expect_rows_at_once(const std::vector<Job>& jobs, const std::vector<JobResult>& results) const {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      const at::Tensor expected = rows_at_once(model_, jobs[i], results[i], options_);
      ASSERT_EQ(results[i].rows.sizes(), expected.sizes()) << i;
      EXPECT_LE(worst_difference(results[i].rows, expected), kTolerance) << i;
    }
  }

  TinyModel model_{GetParam()};
  std::vector<Job> jobs_ = prompts(model_.decoder.spec().vocabulary);
  EngineOptions options_ = model_.everything();
};

TEST_P(ReplyRows, AreThoseOfThePromptAndTheReplyAtOnce) {
  for (const std::int64_t batch_size : {1, 64}) {
    options_.batch_size = batch_size;
    const std::vector<JobResult> results = run_jobs(model_.decoder, jobs_, options_);
    for (const JobResult& result : results) EXPECT_EQ(result.rows.size(0), 1 + kNewTokens);
    expect_rows_at_once(jobs_, results);
  }
}

TEST_P(ReplyRows, EndWhereTheReplyDoes) {
  const std::vector<JobResult> whole = run_jobs(model_.decoder, jobs_, options_);
  options_.stop_tokens = {whole[7].reply[4], whole[20].reply[0]};
  const std::vector<JobResult> results = run_jobs(model_.decoder, jobs_, options_);
  EXPECT_EQ(results[20].rows.size(0), 1);  // an empty reply
  EXPECT_EQ(results[7].stop, StopReason::kEos);
  for (const JobResult& result : results)
    EXPECT_EQ(result.rows.size(0), 1 + static_cast<std::int64_t>(result.reply.size()));
  expect_rows_at_once(jobs_, results);
}

INSTANTIATE_TEST_SUITE_P(Tiny, ReplyRows, testing::Values("llama-gqa-tied", "qwen2-window"),
                         [](const testing::TestParamInfo<std::string>& variant) {
                           return variant.param.starts_with("llama") ? "llama" : "qwen2";
                         });

class LlamaReplyRows : public testing::Test {
 protected:
  std::int64_t decoded(const Job& job) const {
    EngineStats stats;
    run_jobs(model_.decoder, {&job, 1}, options_, {}, {}, &stats);
    return stats.decode_tokens;
  }

  TinyModel model_{"llama-gqa-tied"};
  EngineOptions options_ = model_.everything();
};

TEST_F(LlamaReplyRows, TheLastTokenIsPutThroughOnlyForItsRows) {
  const Job plain{.tokens = {5, 6, 7}, .capture = {2, 3}, .max_new_tokens = 4};
  EXPECT_EQ(decoded(plain), 3);
  Job last = plain;
  last.capture = {6};
  EXPECT_EQ(decoded(last), 4);
  EXPECT_EQ(run_jobs(model_.decoder, {&plain, 1}, options_)[0].reply,
            run_jobs(model_.decoder, {&last, 1}, options_)[0].reply);
}

TEST_F(LlamaReplyRows, AReplyThatIsDecidedHasRowsToItsEnd) {
  const Job job{.tokens = {5, 6, 7}, .capture = {3, 4, 5, 6}, .max_new_tokens = 4};
  const EngineEvents events{
      .decided = [](std::size_t, const std::vector<std::int64_t>& reply) { return reply.size() == 2; }};
  const JobResult result = run_jobs(model_.decoder, {&job, 1}, options_, events)[0];
  EXPECT_EQ(result.rows.size(0), 2);
  EXPECT_LE(worst_difference(result.rows, rows_at_once(model_, job, result, options_)), kTolerance);
}

TEST_F(LlamaReplyRows, BehindTheLongestReplyThereIsNothingToCapture) {
  const Job job{.tokens = {5, 6}, .capture = {5}, .max_new_tokens = 3};
  EXPECT_THROW(run_jobs(model_.decoder, {&job, 1}, options_), InputError);
}

TEST_F(LlamaReplyRows, ABranchHasNoneOfThem) {
  const std::vector<Job> jobs{
      {.tokens = {5, 6}, .capture = {2}, .max_new_tokens = 3},
      {.tokens = {5, 6}, .capture = {2}, .max_new_tokens = 3, .branch = Branch{.stem = 0}}};
  EXPECT_THROW(run_jobs(model_.decoder, jobs, options_), InputError);
}

}  // namespace
}  // namespace hrt
