// The experts that Mixtral's and Qwen's configs describe.

#include <gmock/gmock.h>

#include "model/small_config.h"

namespace hrt {
namespace {

using test::spec_of;
using test::spec_with;
using test::with;
using ::testing::ElementsAre;

TEST(ExpertsConfig, MixtralsExperts) {
  const DecoderSpec spec = spec_with(R"({"model_type": "mixtral", "num_key_value_heads": 4})");
  EXPECT_EQ(spec.experts->count, 8);
  EXPECT_EQ(spec.experts->per_token, 2);
  EXPECT_EQ(spec.experts->intermediate, 40);
  EXPECT_EQ(spec.experts->shared_intermediate, 0);
  EXPECT_TRUE(spec.experts->normalised);
  EXPECT_THAT(spec.experts->layers, ElementsAre(true, true, true));
  EXPECT_EQ(spec.rope.theta, 1e6);
  EXPECT_EQ(spec.norm_eps, 1e-5);
  EXPECT_THAT(spec.window, ElementsAre(0, 0, 0));
  EXPECT_EQ(spec_with(R"({"model_type": "mixtral", "num_attention_heads": 16})").kv_heads, 8);
}

TEST(ExpertsConfig, QwensExperts) {
  const DecoderSpec qwen2 = spec_with(R"({"model_type": "qwen2_moe", "num_key_value_heads": 4})");
  EXPECT_EQ(qwen2.experts->count, 60);
  EXPECT_EQ(qwen2.experts->per_token, 4);
  EXPECT_EQ(qwen2.experts->intermediate, 1408);
  EXPECT_EQ(qwen2.experts->shared_intermediate, 5632);
  EXPECT_FALSE(qwen2.experts->normalised);
  EXPECT_TRUE(qwen2.qkv_bias);
  const DecoderSpec qwen3 = spec_with(R"({"model_type": "qwen3_moe", "num_experts": 16})");
  EXPECT_EQ(qwen3.kv_heads, 4);
  EXPECT_EQ(qwen3.head_dim, 8);
  EXPECT_EQ(qwen3.experts->count, 16);
  EXPECT_EQ(qwen3.experts->per_token, 8);
  EXPECT_EQ(qwen3.experts->intermediate, 768);
  EXPECT_EQ(qwen3.experts->shared_intermediate, 0);
  EXPECT_FALSE(qwen3.qkv_bias);
  const auto both = R"({"model_type": "qwen3_moe", "num_experts": 16, "num_local_experts": 32})";
  EXPECT_EQ(spec_with(both).experts->count, 32);
}

TEST(ExpertsConfig, QwensSparseLayers) {
  const auto layers = [](std::string_view changes) {
    Json config = with(R"({"model_type": "qwen2_moe", "num_key_value_heads": 4})");
    config.update(Json::parse(changes));
    return spec_of(config).experts->layers;
  };
  EXPECT_THAT(layers("{}"), ElementsAre(true, true, true));
  EXPECT_THAT(layers(R"({"decoder_sparse_step": 2})"), ElementsAre(false, true, false));
  EXPECT_THAT(layers(R"({"mlp_only_layers": [0, 7]})"), ElementsAre(false, true, true));
  EXPECT_THAT(layers(R"({"mlp_only_layers": [1], "decoder_sparse_step": 2})"),
              ElementsAre(false, false, false));
}

}  // namespace
}  // namespace hrt
