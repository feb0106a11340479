// Models of tools/fetch against what transformers computed. Each test runs in a process of its own, so each
// has hrt do no more than it looks at.

#include <gtest/gtest.h>

#include "real_goldens.h"

namespace hrt::testing {
namespace {

class RealModel : public ::testing::Test {
 protected:
  explicit RealModel(std::string model) : goldens_(std::move(model)) {}
  void SetUp() override {
    if (!goldens_.is_fetched()) GTEST_SKIP() << "the model and the prompts are not fetched (tools/fetch)";
  }
  RealGoldens goldens_;
};

class RealSmolLM2 : public RealModel {
 protected:
  RealSmolLM2() : RealModel("smollm2") {}
};

TEST_F(RealSmolLM2, TokensPositionsAndRowsAreThoseOfTransformers) {
  ASSERT_NO_FATAL_FAILURE(goldens_.run_hrt_over("extract", {"--outcomes", "none"}));
  goldens_.expect_tokens_positions_and_rows();
}

TEST_F(RealSmolLM2, GreedyRepliesPartOnlyWhereTheModelIsUndecided) {
  ASSERT_NO_FATAL_FAILURE(goldens_.run_hrt_over("steer", {"--max-new-tokens", "48"}));
  goldens_.expect_replies();
}

// A base model: plain texts, some of them longer than its window of 512 tokens.
class RealGemma3 : public RealModel {
 protected:
  RealGemma3() : RealModel("gemma3-270m") {}
};

TEST_F(RealGemma3, TokensPositionsAndRowsAreThoseOfTransformers) {
  ASSERT_NO_FATAL_FAILURE(
      goldens_.run_hrt_over("extract", {"--template", "raw", "--outcomes", "none", "--positions", "t_inst"}));
  goldens_.expect_tokens_positions_and_rows();
}

TEST_F(RealGemma3, GreedyRepliesPartOnlyWhereTheModelIsUndecided) {
  ASSERT_NO_FATAL_FAILURE(goldens_.run_hrt_over("steer", {"--template", "raw", "--max-new-tokens", "24"}));
  goldens_.expect_replies();
}

}  // namespace
}  // namespace hrt::testing
