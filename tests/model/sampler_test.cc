#include "sampler.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <map>

#include "golden.h"

namespace hrt {
namespace {

// How often each token is drawn in 20,000 draws.
std::map<std::int64_t, double> shares(const Sampling& sampling) {
  const at::Tensor logits = at::tensor({0.0F, 1.0F, 2.0F, -1.0F});
  Random random(3);
  std::map<std::int64_t, double> shares;
  for (int i = 0; i < 20000; ++i) shares[sample_token(logits, sampling, random)] += 1.0 / 20000;
  return shares;
}

TEST(Sampler, DrawsBySoftmaxAtItsTemperature) {
  const auto warm = shares({.temperature = 1, .top_p = 1});
  EXPECT_NEAR(warm.at(2), 0.6439, 0.01);  // exp(2) / (exp(0) + exp(1) + exp(2) + exp(-1))
  EXPECT_NEAR(warm.at(1), 0.2369, 0.01);
  EXPECT_NEAR(warm.at(3), 0.0321, 0.005);
  EXPECT_GT(shares({.temperature = 0.2, .top_p = 1}).at(2), 0.99);
}

TEST(Sampler, TopPKeepsTheLikeliestTokens) {
  const auto kept = shares({.temperature = 1, .top_p = 0.8});
  EXPECT_EQ(kept.size(), 2);
  EXPECT_NEAR(kept.at(2), 0.6439 / (0.6439 + 0.2369), 0.01);
  EXPECT_EQ(shares({.temperature = 1, .top_p = 1e-9}).size(), 1);
}

TEST(Sampler, RepliesDependOnTheSeedAndNotOnTheBatch) {
  const test::TinyModel model("llama-gqa-tied");
  EngineOptions options;
  options.sampling = {.temperature = 1, .top_p = 0.95};
  std::vector<Job> jobs(6, Job{.tokens = {5, 6, 7}, .max_new_tokens = 12});
  for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i].seed = i / 2;
  options.batch_size = 1;
  const auto alone = run_jobs(model.decoder, jobs, options);
  options.batch_size = 6;
  const auto batched = run_jobs(model.decoder, jobs, options);
  for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(alone[i].reply, batched[i].reply);
  EXPECT_EQ(alone[0].reply, alone[1].reply);
  EXPECT_NE(alone[0].reply, alone[2].reply);
}

}  // namespace
}  // namespace hrt
