#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "golden.h"
#include "hrt/base/error.h"
#include "hrt/base/random.h"
#include "hrt/model/engine.h"
#include "hrt/model/steering.h"

namespace hrt {
namespace {

using test::TinyModel;
using test::worst_difference;

constexpr double kRounding = 1e-5;

at::Tensor random_vector(Random& random, std::int64_t hidden) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < hidden; ++i) values.push_back(static_cast<float>(random.normal()));
  return at::tensor(values);
}

// 12 prompts after a common prefix, and for each of some cells a branch of every prompt, steered.
class Branches : public testing::TestWithParam<std::string> {
 protected:
  struct Cell {
    std::int64_t layer;
    std::int64_t first;  // token
    bool generated;
  };

  static std::vector<std::int64_t> tokens(Random& random, std::int64_t count, std::int64_t vocabulary) {
    std::vector<std::int64_t> result;
    while (count-- > 0) {
      result.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(vocabulary))));
    }
    return result;
  }

  void SetUp() override {
    Random random(11);
    const DecoderSpec& spec = model_.decoder.spec();
    const auto prefix = tokens(random, kPrefix, spec.vocabulary);
    for (std::size_t i = 0; i < kPrompts; ++i) {
      Job job{.tokens = prefix, .max_new_tokens = 6};
      for (const auto token :
           tokens(random, static_cast<std::int64_t>(3 + random.below(30)), spec.vocabulary)) {
        job.tokens.push_back(token);
      }
      const auto last = static_cast<std::int64_t>(job.tokens.size()) - 1;
      job.capture = {last - 1, last};
      jobs_.push_back(job);
    }
    for (Cell& cell : cells_) {
      cell.layer = std::min(cell.layer, spec.layers - 1);
      edits_.push_back(
          {{cell.layer, Site::kBlockInput}, Edit::Kind::kAdd, random_vector(random, spec.hidden), 0.7});
    }
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      for (std::size_t i = 0; i < kPrompts; ++i) {
        Job job = jobs_[i];
        job.branch = Branch{i, cells_[c].layer, cells_[c].first, static_cast<std::int64_t>(c)};
        jobs_.push_back(job);
      }
    }
  }

  Steering steering() const {
    Steering steering(edits_, model_.decoder.spec().hidden);
    for (std::size_t i = kPrompts; i < jobs_.size(); ++i) {
      const auto cell = static_cast<std::size_t>(jobs_[i].branch->family);
      const auto end =
          cells_[cell].generated ? TokenSpan::kToTheEnd : static_cast<std::int64_t>(jobs_[i].tokens.size());
      steering.assign(static_cast<std::int64_t>(i), cell, {cells_[cell].first, end});
    }
    return steering;
  }

  std::vector<JobResult> run(Steering& steering, const EngineEvents& events = {},
                             EngineStats* stats = nullptr) {
    const Hook hook = steering.hook();
    return run_jobs(model_.decoder, jobs_, options_, events, {&hook, 1}, stats);
  }

  // Without branches: every job from its first token and block on, alone.
  std::vector<JobResult> run_whole(Steering& steering) const {
    std::vector<Job> jobs = jobs_;
    for (Job& job : jobs) job.branch.reset();
    EngineOptions options = options_;
    options.batch_size = 1;
    options.share_prefix = false;
    const Hook hook = steering.hook();
    return run_jobs(model_.decoder, jobs, options, {}, {&hook, 1});
  }

  static constexpr std::int64_t kPrefix = 21;  // no page boundary divides it
  static constexpr std::size_t kPrompts = 12;
  std::vector<Cell> cells_{{0, 0, false}, {1, 0, true},   {1, 5, false}, {2, 3, true},
                           {2, 21, true}, {2, 22, false}, {1, 23, true}, {0, 22, true}};
  TinyModel model_{GetParam()};
  EngineOptions options_ = model_.everything();
  std::vector<Job> jobs_;
  std::vector<Edit> edits_;
};

TEST_P(Branches, GiveWhatComputingEverythingGives) {
  Steering whole = steering();
  const std::vector<JobResult> expected = run_whole(whole);
  for (const std::int64_t batch_size : {1, 5, 0}) {
    SCOPED_TRACE(testing::Message() << "batches of " << batch_size);
    options_.batch_size = batch_size;
    Steering shared = steering();
    EngineStats stats;
    const std::vector<JobResult> results = run(shared, {}, &stats);
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      SCOPED_TRACE(testing::Message() << "job " << i);
      EXPECT_LE(worst_difference(results[i].rows, expected[i].rows), kRounding);
      EXPECT_LE(worst_difference(results[i].logits, expected[i].logits), kRounding);
      EXPECT_EQ(results[i].reply, expected[i].reply);
      EXPECT_NEAR(results[i].first_margin, expected[i].first_margin, 1e-4);
    }
    // Every token of every job counts, shared or not.
    for (std::size_t e = 0; e < edits_.size(); ++e) {
      EXPECT_EQ(shared.tallies()[e].tokens, whole.tallies()[e].tokens);
      EXPECT_NEAR(shared.tallies()[e].mean_change(), whole.tallies()[e].mean_change(), 1e-5);
    }
    EXPECT_GT(stats.spared_tokens, 0);
  }
}

TEST_P(Branches, AnUnchangedOneGetsItsStemsResultAndIsNotComputed) {
  Steering steering_of_all = steering();
  std::vector<std::int64_t> finished(jobs_.size(), 0);
  EngineEvents events;
  events.finished = [&](std::size_t job, const JobResult&) { ++finished[job]; };
  events.unchanged = [&](std::size_t job, const at::Tensor& rows) {
    EXPECT_EQ(rows.size(0), 2);
    return jobs_[job].branch->family != 3;
  };
  const std::vector<JobResult> results = run(steering_of_all, events);
  EXPECT_TRUE(std::ranges::all_of(finished, [](std::int64_t n) { return n == 1; }));
  for (std::size_t i = kPrompts; i < jobs_.size(); ++i) {
    const Branch& branch = *jobs_[i].branch;
    EXPECT_EQ(results[i].rows.equal(results[branch.stem].rows), branch.family != 3);
  }
  for (std::size_t e = 0; e < edits_.size(); ++e) EXPECT_EQ(steering_of_all.tallies()[e].tokens > 0, e == 3);
}

TEST_P(Branches, ThoseThatDoNotFitTheirStemAreRefused) {
  const auto refused = [this](auto&& spoil) {
    std::vector<Job> jobs = jobs_;
    spoil(jobs.back());
    EXPECT_THROW(run_jobs(model_.decoder, jobs, options_), InputError);
  };
  refused([](Job& job) { job.branch->stem = kPrompts; });
  refused([](Job& job) { job.tokens.pop_back(); });
  refused([](Job& job) { job.branch->layer = 99; });
  refused([](Job& job) { job.branch->token = static_cast<std::int64_t>(job.tokens.size()); });
}

TEST_P(Branches, ADecidedReplyEnds) {
  Steering steering_of_all = steering();
  EngineEvents events;
  events.decided = [](std::size_t, const std::vector<std::int64_t>& reply) { return reply.size() == 2; };
  for (const JobResult& result : run(steering_of_all, events)) {
    if (result.stop == StopReason::kEos) continue;
    EXPECT_EQ(result.stop, StopReason::kDecided);
    EXPECT_EQ(result.reply.size(), 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Tiny, Branches,
                         testing::Values("llama-gqa-tied", "qwen2-window", "mistral-window", "gemma3-hub",
                                         "mixtral", "gpt-oss"),
                         [](const testing::TestParamInfo<std::string>& variant) {
                           std::string name = variant.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace hrt
