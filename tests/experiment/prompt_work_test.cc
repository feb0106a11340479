#include "hrt/experiment/prompt_work.h"

#include <gtest/gtest.h>

namespace hrt {
namespace {

TEST(ParametersPerToken, AreOfTheExpertsThatATokenGoesThrough) {
  DecoderSpec spec;
  spec.layers = 3;
  spec.hidden = 8;
  spec.intermediate = 20;
  spec.heads = spec.kv_heads = 2;
  spec.head_dim = 4;
  const std::int64_t attention = 4 * 8 * 8;
  EXPECT_EQ(parameters_per_token(spec), 3 * (attention + 3 * 8 * 20));
  spec.experts = {.count = 64,
                  .per_token = 2,
                  .intermediate = 5,
                  .shared_intermediate = 6,
                  .layers = {true, false, true}};
  EXPECT_EQ(parameters_per_token(spec), 3 * attention + 3 * 8 * (20 + 2 * (2 * 5 + 6)));
}

}  // namespace
}  // namespace hrt
