#include "hrt/model/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "golden.h"
#include "hrt/base/error.h"
#include "hrt/base/random.h"
#include "hrt/model/memory.h"

namespace hrt {
namespace {

using test::TinyModel;
using test::worst_difference;

// What batch size, order and prefix sharing may change, of each row's norm.
constexpr double kRounding = 1e-5;

// 70 prompts of 1 to 60 tokens after a common prefix of 21, which no page boundary divides.
std::vector<Job> prompts_with_prefix(std::int64_t vocabulary) {
  Random random(7);
  const auto token = [&] {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(vocabulary)));
  };
  std::vector<std::int64_t> prefix(21);
  std::ranges::generate(prefix, token);
  std::vector<Job> jobs(70);
  for (Job& job : jobs) {
    job.tokens = prefix;
    for (auto left = 1 + random.below(60); left > 0; --left) job.tokens.push_back(token());
    const auto last = static_cast<std::int64_t>(job.tokens.size()) - 1;
    job.capture = last > 21 ? std::vector{last - 1, last} : std::vector{last};
    job.max_new_tokens = 6;
  }
  return jobs;
}

void expect_same(const JobResult& a, const JobResult& b) {
  EXPECT_LE(worst_difference(a.rows, b.rows), kRounding);
  EXPECT_LE(worst_difference(a.logits, b.logits), kRounding);
  EXPECT_EQ(a.reply, b.reply);
  EXPECT_EQ(a.stop, b.stop);
}

void expect_same_bits(const JobResult& a, const JobResult& b) {
  EXPECT_TRUE(a.rows.equal(b.rows)) << worst_difference(a.rows, b.rows);
  EXPECT_TRUE(a.logits.equal(b.logits)) << worst_difference(a.logits, b.logits);
  EXPECT_EQ(a.reply, b.reply);
}

class Engine : public testing::TestWithParam<std::string> {
 protected:
  TinyModel model_{GetParam()};
  std::vector<Job> jobs_ = prompts_with_prefix(model_.decoder.spec().vocabulary);
  EngineOptions options_ = model_.everything();

  std::vector<JobResult> run() { return run_jobs(model_.decoder, jobs_, options_); }
};

TEST_P(Engine, ResultsDoNotDependOnBatchOrderOrPrefix) {
  options_.batch_size = 1;
  options_.share_prefix = false;
  const std::vector<JobResult> alone = run();
  for (const bool shared : {false, true}) {
    for (const std::int64_t batch_size : {1, 3, 64, 0}) {
      SCOPED_TRACE(testing::Message() << "shared " << shared << ", batches of " << batch_size);
      options_.share_prefix = shared;
      options_.batch_size = batch_size;
      const std::vector<JobResult> results = run();
      for (std::size_t i = 0; i < jobs_.size(); ++i) expect_same(results[i], alone[i]);
    }
  }
  std::ranges::reverse(jobs_);
  const std::vector<JobResult> reversed = run();
  for (std::size_t i = 0; i < jobs_.size(); ++i) expect_same(reversed[i], alone[jobs_.size() - 1 - i]);
}

TEST_P(Engine, HooksThatDoNothingChangeNoBit) {
  const std::vector<JobResult> plain = run();
  std::int64_t calls = 0;
  const Hook count = [&](const HookPoint&, const TokenMap&, at::Tensor&) { ++calls; };
  const std::vector<JobResult> hooked = run_jobs(model_.decoder, jobs_, options_, {}, {&count, 1});
  EXPECT_GT(calls, 0);
  for (std::size_t i = 0; i < jobs_.size(); ++i) expect_same_bits(hooked[i], plain[i]);
}

TEST_P(Engine, StoppingAtTheDeepestRowGivesTheSameRows) {
  const std::vector<JobResult> all = run();
  for (Job& job : jobs_) job.max_new_tokens = 0;
  options_.logits = false;
  for (const std::int64_t row : {0, 1}) {
    options_.rows = {row};
    const std::vector<JobResult> results = run();
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      EXPECT_LE(worst_difference(results[i].rows, all[i].rows.narrow(1, row, 1)), kRounding);
      EXPECT_FALSE(results[i].logits.defined());
      EXPECT_TRUE(results[i].reply.empty());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tiny, Engine,
                         testing::Values("llama-gqa-tied", "qwen2-window", "llama-rope-yarn", "gemma3-hub",
                                         "cohere-hub", "gpt2", "mixtral", "qwen2-moe", "gpt-oss-hub"),
                         [](const testing::TestParamInfo<std::string>& variant) {
                           std::string name = variant.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

class LlamaEngine : public testing::Test {
 protected:
  TinyModel model_{"llama-gqa-tied"};
  EngineOptions options_ = model_.everything();
};

TEST_F(LlamaEngine, AHookChangesTheStreamWhereItSaysAndIsCapturedAfter) {
  const Job job{.tokens = {5, 6, 7, 8}, .capture = {0, 1, 2, 3}, .max_new_tokens = 0};
  const JobResult plain = run_jobs(model_.decoder, {&job, 1}, options_)[0];
  const Hook add = [](const HookPoint& point, const TokenMap& tokens, at::Tensor& values) {
    if (point != HookPoint{1, Site::kBlockInput}) return;
    for (std::int64_t i = 0; i < tokens.size(); ++i) {
      if (tokens.position[static_cast<std::size_t>(i)] == 2) values.select(0, i).add_(1.0);
    }
  };
  const JobResult steered = run_jobs(model_.decoder, {&job, 1}, options_, {}, {&add, 1})[0];
  const at::Tensor change = steered.rows.sub(plain.rows).abs().amax({2});  // [positions, rows]
  EXPECT_EQ(change.select(1, 0).max().item<float>(), 0);
  EXPECT_NEAR(change[2][1].item<float>(), 1, 1e-5);
  EXPECT_EQ(change.narrow(0, 0, 2).max().item<float>(), 0);  // tokens before it cannot see it
  EXPECT_GT(change[3][2].item<float>(), 0);                  // tokens behind it do
}

TEST_F(LlamaEngine, HooksSeeEachTokenOfEachJobOnceUnderItsIndex) {
  const std::vector<Job> jobs{{.tokens = {5, 6, 7}}, {.tokens = {5, 6, 9, 4}, .capture = {2}}};
  std::vector<std::pair<std::int64_t, std::int64_t>> seen;
  const Hook note = [&](const HookPoint& point, const TokenMap& tokens, at::Tensor& values) {
    if (point != HookPoint{0, Site::kBlockInput}) return;
    EXPECT_EQ(values.size(0), tokens.size());
    for (std::size_t i = 0; i < tokens.sequence.size(); ++i) {
      seen.emplace_back(tokens.sequence[i], tokens.position[i]);
    }
  };
  run_jobs(model_.decoder, jobs, options_, {}, {&note, 1});
  const std::int64_t shared = kSharedPrefix;
  EXPECT_THAT(seen, testing::UnorderedElementsAre(std::pair(shared, 0), std::pair(shared, 1), std::pair(0, 2),
                                                  std::pair(1, 2), std::pair(1, 3)));
}

TEST_F(LlamaEngine, ThePrefixEndsBeforeTheFirstCapturedToken) {
  std::vector<Job> jobs(3, Job{.tokens = {5, 6, 7, 8, 9, 10}, .capture = {2, 5}});
  EXPECT_EQ(engine_sizes(model_.decoder.spec(), at::kFloat, jobs, options_).prefix, 2);
  const std::vector<JobResult> results = run_jobs(model_.decoder, jobs, options_);
  EXPECT_LE(worst_difference(results[0].rows, results[2].rows), kRounding);
}

TEST_F(LlamaEngine, RepliesEndAtStopTokensWhichAreNotPartOfThem) {
  std::vector<Job> jobs = model_.jobs();
  const std::vector<std::int64_t> whole = model_.goldens[3].reply;
  const std::int64_t stop = whole[10];
  options_.stop_tokens = {stop};
  EngineStats stats;
  const std::vector<JobResult> results = run_jobs(model_.decoder, jobs, options_, {}, {}, &stats);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::vector<std::int64_t>& expected = model_.goldens[i].reply;
    const auto end = std::ranges::find(expected, stop);
    EXPECT_EQ(results[i].reply, std::vector(expected.begin(), end));
    EXPECT_EQ(results[i].stop, end == expected.end() ? StopReason::kLength : StopReason::kEos);
  }
  EXPECT_EQ(stats.prefill_tokens, 1 + 3 + 9 + 20 + 80);
}

TEST_F(LlamaEngine, ALongPromptIsCutIntoPasses) {
  Random random(3);
  std::vector<Job> jobs(3);
  for (Job& job : jobs) {
    for (int i = 0; i < 4000; ++i) job.tokens.push_back(static_cast<std::int64_t>(random.below(80)));
    job.capture = {10, 3999};
    job.max_new_tokens = 3;
  }
  const std::vector<JobResult> results = run_jobs(model_.decoder, jobs, options_);
  options_.batch_size = 1;
  const std::vector<JobResult> alone = run_jobs(model_.decoder, jobs, options_);
  for (std::size_t i = 0; i < jobs.size(); ++i) expect_same(results[i], alone[i]);
}

TEST_F(LlamaEngine, FinishedIsToldEveryResultOnce) {
  const std::vector<Job> jobs = model_.jobs();
  std::vector<std::int64_t> told(jobs.size(), 0);
  std::int64_t tokens = 0;
  const EngineEvents events{.finished =
                                [&](std::size_t job, const JobResult& result) {
                                  ++told[job];
                                  EXPECT_EQ(result.reply, model_.goldens[job].reply);
                                  EXPECT_TRUE(result.rows.defined());
                                },
                            .tokens = [&](std::int64_t count) { tokens += count; }};
  run_jobs(model_.decoder, jobs, options_, events);
  EXPECT_THAT(told, testing::Each(1));
  EXPECT_EQ(tokens, 1 + 3 + 9 + 20 + 80 + 5 * 23);
}

TEST_F(LlamaEngine, TheMarginIsBestMinusSecondBestLogit) {
  const std::vector<JobResult> results = run_jobs(model_.decoder, model_.jobs(), options_);
  for (const JobResult& result : results) {
    const at::Tensor best = std::get<0>(result.logits.topk(2));
    EXPECT_NEAR(result.first_margin, best[0].item<double>() - best[1].item<double>(), 1e-5);
  }
}

TEST_F(LlamaEngine, BadJobsAreRefused) {
  const auto refused = [&](const Job& job) {
    EXPECT_THROW(run_jobs(model_.decoder, {&job, 1}, options_), InputError);
  };
  refused({.tokens = {}});
  refused({.tokens = {1, 80}});
  refused({.tokens = {1, -1}});
  refused({.tokens = {1, 2}, .capture = {2}});
  options_.rows = {4};
  refused({.tokens = {1, 2}});
}

// The rotation of the whole sequence changes at 50 tokens; transformers computes it anew there.
TEST(LongRopeEngine, AReplyThatWouldCrossTheSwitchIsRefused) {
  const TinyModel model("phi3-longrope");
  const auto run = [&](std::size_t length, std::int64_t new_tokens) {
    const Job job{.tokens = std::vector<std::int64_t>(length, 5), .max_new_tokens = new_tokens};
    return run_jobs(model.decoder, {&job, 1}, {});
  };
  EXPECT_THROW(run(40, 11), InputError);
  EXPECT_NO_THROW(run(40, 10));
  EXPECT_NO_THROW(run(51, 10));
}

TEST_F(LlamaEngine, ANonFiniteRowStopsTheRun) {
  const Job job{.tokens = {5, 6}, .capture = {1}};
  const Hook overflow = [](const HookPoint&, const TokenMap&, at::Tensor& values) {
    values.mul_(1e30).mul_(1e30);
  };
  EXPECT_THROW(run_jobs(model_.decoder, {&job, 1}, options_, {}, {&overflow, 1}), RunError);
}

}  // namespace
}  // namespace hrt
