// What the families take configs to mean, absent keys above all.

#include <gmock/gmock.h>

#include "model/small_config.h"

namespace hrt {
namespace {

using test::kLlama;
using test::spec_of;
using test::spec_with;
using test::with;
using ::testing::ElementsAre;

TEST(FamilySpecs, LlamaDefaults) {
  const DecoderSpec spec = spec_of(kLlama);
  EXPECT_EQ(spec.kv_heads, 4);
  EXPECT_EQ(spec.head_dim, 8);
  EXPECT_EQ(spec.norm_eps, 1e-6);
  EXPECT_EQ(spec.activation, Activation::kSilu);
  EXPECT_FALSE(spec.qkv_bias || spec.output_bias || spec.mlp_bias || spec.tied_head);
  EXPECT_EQ(spec.rope.kind, RopeSpec::Kind::kDefault);
  EXPECT_EQ(spec.rope.theta, 10000);
  EXPECT_THAT(spec.window, ElementsAre(0, 0, 0));
}

TEST(FamilySpecs, AbsentPositionsAreTheFamilysDefault) {
  Json config = kLlama;
  config.erase("max_position_embeddings");
  EXPECT_EQ(spec_of(config).max_positions, 2048);
}

TEST(FamilySpecs, AbsentKvHeadsAreTheFamilysDefaultAndNullMeansHeads) {
  EXPECT_EQ(spec_with(R"({"model_type": "mistral", "num_attention_heads": 16})").kv_heads, 8);
  EXPECT_EQ(spec_with(R"({"model_type": "mistral", "num_key_value_heads": null})").kv_heads, 4);
  EXPECT_EQ(spec_with(R"({"model_type": "qwen2", "num_key_value_heads": null})").kv_heads, 4);
  EXPECT_THROW(spec_with(R"({"model_type": "qwen2"})"), InputError);  // 32 key heads of 4
}

TEST(FamilySpecs, HeadDimNullMeansHiddenByHeads) {
  EXPECT_EQ(spec_with(R"({"head_dim": null})").head_dim, 8);
  EXPECT_EQ(spec_with(R"({"head_dim": 12})").head_dim, 12);
}

TEST(FamilySpecs, LlamaBiasesAreAsked) {
  const DecoderSpec spec = spec_with(R"({"attention_bias": true, "mlp_bias": true})");
  EXPECT_TRUE(spec.qkv_bias && spec.output_bias && spec.mlp_bias);
}

TEST(FamilySpecs, Qwen2AlwaysHasQkvBiases) {
  const DecoderSpec spec = spec_with(R"({"model_type": "qwen2", "num_key_value_heads": 2})");
  EXPECT_TRUE(spec.qkv_bias);
  EXPECT_FALSE(spec.output_bias || spec.mlp_bias);
}

TEST(FamilySpecs, MistralSlidesEverywhereAndAbsentIsNotNull) {
  const auto window = [](std::string_view changes) {
    Json config = with(R"({"model_type": "mistral", "num_key_value_heads": 4})");
    config.update(Json::parse(changes));
    return spec_of(config).window;
  };
  EXPECT_THAT(window("{}"), ElementsAre(4096, 4096, 4096));
  EXPECT_THAT(window(R"({"sliding_window": null})"), ElementsAre(0, 0, 0));
  EXPECT_THAT(window(R"({"sliding_window": 7})"), ElementsAre(7, 7, 7));
  EXPECT_THROW(window(R"({"sliding_window": 0})"), InputError);
}

struct WindowCase {
  const char* changes;
  std::vector<std::int64_t> window;
};

TEST(FamilySpecs, Qwen2Windows) {
  const WindowCase cases[] = {
      {R"({"sliding_window": 9, "max_window_layers": 1})", {0, 0, 0}},
      {R"({"sliding_window": 9, "max_window_layers": 1, "use_sliding_window": true})", {0, 9, 9}},
      {R"({"sliding_window": 9, "use_sliding_window": true})", {0, 0, 0}},
      {R"({"max_window_layers": 0, "use_sliding_window": true})", {4096, 4096, 4096}},
      {R"({"sliding_window": null, "max_window_layers": 0, "use_sliding_window": true})", {0, 0, 0}},
      {R"({"sliding_window": 9, "max_window_layers": 0, "use_sliding_window": true,
           "layer_types": ["full_attention", "sliding_attention", "full_attention"]})",
       {0, 9, 0}},
  };
  for (const WindowCase& one : cases) {
    Json config = with(R"({"model_type": "qwen2", "num_key_value_heads": 4})");
    config.update(Json::parse(one.changes));
    EXPECT_EQ(spec_of(config).window, one.window) << one.changes;
  }
}

TEST(FamilySpecs, WindowsOfQwensWithExperts) {
  const WindowCase cases[] = {
      {R"({"model_type": "qwen2_moe", "sliding_window": 9})", {0, 0, 0}},
      {R"({"model_type": "qwen2_moe", "sliding_window": 9, "use_sliding_window": true})", {9, 0, 9}},
      {R"({"model_type": "qwen2_moe", "use_sliding_window": true, "max_window_layers": 2})", {4096, 0, 0}},
      {R"({"model_type": "qwen2_moe", "sliding_window": 9, "use_sliding_window": true,
           "layer_types": ["full_attention", "sliding_attention", "full_attention"]})",
       {0, 9, 0}},
      {R"({"model_type": "qwen3_moe", "sliding_window": 9, "max_window_layers": 2})", {0, 0, 0}},
      {R"({"model_type": "qwen3_moe", "use_sliding_window": true})", {4096, 4096, 4096}},
  };
  for (const WindowCase& one : cases) {
    Json config = with(R"({"num_key_value_heads": 4})");
    config.update(Json::parse(one.changes));
    EXPECT_EQ(spec_of(config).window, one.window) << one.changes;
  }
}

TEST(FamilySpecs, ActivationsByTheirNames) {
  EXPECT_EQ(spec_with(R"({"hidden_act": "gelu"})").activation, Activation::kGelu);
  EXPECT_EQ(spec_with(R"({"hidden_act": "gelu_new"})").activation, Activation::kGeluTanh);
  EXPECT_EQ(spec_with(R"({"hidden_act": "relu"})").activation, Activation::kRelu);
}

TEST(FamilySpecs, Gemma3LayersByTheirPattern) {
  const DecoderSpec spec = spec_with(
      R"({"model_type": "gemma3_text", "num_key_value_heads": 4, "sliding_window_pattern": 2,
          "rope_theta": 7, "rope_local_base_freq": 5})");
  EXPECT_THAT(spec.window, ElementsAre(4096, 0, 4096));
  EXPECT_THAT(spec.rotation, ElementsAre(Rotation::kLocal, Rotation::kGlobal, Rotation::kLocal));
  EXPECT_EQ(spec.rope.theta, 7);
  EXPECT_EQ(spec.local_rope->theta, 5);
  EXPECT_EQ(spec.head_dim, 256);
  EXPECT_EQ(spec.query_scale, 1.0 / 16);
}

TEST(FamilySpecs, Gemma3WithoutKeysHasTwoThetas) {
  const DecoderSpec spec = spec_with(R"({"model_type": "gemma3_text"})");
  EXPECT_EQ(spec.kv_heads, 4);
  EXPECT_EQ(spec.rope.theta, 1e6);
  EXPECT_EQ(spec.local_rope->theta, 1e4);
  EXPECT_TRUE(spec.tied_head);
}

TEST(FamilySpecs, Gemma2SoftcapsAbsentAndNull) {
  EXPECT_EQ(spec_with(R"({"model_type": "gemma2"})").attention_softcap, 50);
  EXPECT_EQ(spec_with(R"({"model_type": "gemma2"})").logit_softcap, 30);
  EXPECT_EQ(spec_with(R"({"model_type": "gemma2", "attn_logit_softcapping": null})").attention_softcap, 0);
  EXPECT_THAT(spec_with(R"({"model_type": "gemma2"})").window, ElementsAre(4096, 0, 4096));
}

TEST(FamilySpecs, Gemma1IgnoresHiddenActivation) {
  const DecoderSpec spec = spec_with(R"({"model_type": "gemma", "num_key_value_heads": 4,
                                         "hidden_act": "gelu", "hidden_activation": "relu"})");
  EXPECT_EQ(spec.activation, Activation::kGeluTanh);
}

TEST(FamilySpecs, DefaultsThatAreUnlikeLlamas) {
  EXPECT_EQ(spec_with(R"({"model_type": "cohere"})").rope.theta, 5e5);
  EXPECT_EQ(spec_with(R"({"model_type": "cohere"})").logit_scale, 0.0625);
  EXPECT_EQ(spec_with(R"({"model_type": "smollm3"})").rope.theta, 2e6);
  EXPECT_EQ(spec_with(R"({"model_type": "smollm3"})").rotation[2], Rotation::kGlobal);
  EXPECT_EQ(spec_with(R"({"model_type": "smollm3", "no_rope_layer_interval": 3})").rotation[2],
            Rotation::kNone);
  EXPECT_EQ(spec_with(R"({"model_type": "qwen3", "num_key_value_heads": 4})").head_dim, 128);
  EXPECT_EQ(spec_with(R"({"model_type": "olmo2"})").norm_eps, 1e-5);
  const DecoderSpec glm = spec_with(R"({"model_type": "glm4"})");
  EXPECT_EQ(glm.rotary_dim, 64);
  EXPECT_EQ(glm.norm_eps, 1.5625e-7);
  EXPECT_TRUE(glm.qkv_bias);
  EXPECT_FALSE(glm.output_bias);
}

TEST(FamilySpecs, GptOssWithoutKeys) {
  const DecoderSpec spec = spec_with(R"({"model_type": "gpt_oss", "num_key_value_heads": 4})");
  EXPECT_EQ(spec.head_dim, 64);
  EXPECT_EQ(spec.norm_eps, 1e-5);
  EXPECT_TRUE(spec.qkv_bias && spec.output_bias && spec.mlp_bias && spec.attention_sinks);
  EXPECT_THAT(spec.window, ElementsAre(128, 0, 128));
  EXPECT_EQ(spec.rope.kind, RopeSpec::Kind::kYarn);
  EXPECT_EQ(spec.rope.theta, 150000);
  EXPECT_EQ(spec.rope.factor, 32);
  EXPECT_EQ(spec.rope.original_max_positions, 4096);
  EXPECT_FALSE(spec.rope.truncate);
  EXPECT_EQ(spec.clamped_swiglu->alpha, 1.702);
  EXPECT_EQ(spec.clamped_swiglu->limit, 7);
  EXPECT_EQ(spec.experts->count, 128);
  EXPECT_EQ(spec.experts->per_token, 4);
  EXPECT_TRUE(spec.experts->router_bias && spec.experts->normalised);
  EXPECT_EQ(spec.experts->files, ExpertsSpec::Files::kStacked);
}

TEST(FamilySpecs, NeoxRotatesAQuarter) {
  const DecoderSpec spec = spec_with(R"({"model_type": "gpt_neox"})");
  EXPECT_EQ(spec.rotary_dim, 2);
  EXPECT_EQ(spec.rope.theta, 10000);
  EXPECT_TRUE(spec.parallel && spec.qkv_bias && spec.output_bias && spec.mlp_bias);
  EXPECT_EQ(spec_with(R"({"model_type": "gpt_neox", "rotary_pct": 1, "rotary_emb_base": 7})").rope.theta, 7);
}

}  // namespace
}  // namespace hrt
