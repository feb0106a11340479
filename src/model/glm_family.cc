// GLM-4 (0414): half of each head rotates, in pairs of neighbours; norms on both sides of attention and MLP.

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope{.partial = 0.5, .partial_key = "partial_rotary_factor"};

constexpr std::string_view kGateUp[] = {"mlp.gate_up_proj"};
constexpr NameTable kNames{.qkv = kQkvNames,
                           .attention_post_norm = "post_self_attn_layernorm",
                           .mlp_norm = "post_attention_layernorm",
                           .gate_up = kGateUp,
                           .mlp_post_norm = "post_mlp_layernorm"};

DecoderSpec glm4_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(
      config, {.kv_heads = 2, .head_dim = 128, .max_positions = 131072, .norm_eps = 1.5625e-7}, kRope);
  spec.qkv_bias = config.boolean("attention_bias", true);
  spec.post_norms = true;
  spec.rotates_neighbours = true;
  return spec;
}

constexpr auto kRead = concatenate(kLlamaLikeKeys, {"attention_bias", "partial_rotary_factor"});

}  // namespace

Family glm4_family() {
  return {.model_type = "glm4",
          .title = "GLM-4 (0414)",
          .spec = glm4_spec,
          .names = kNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = {},
          .unsupported = {},
          .buffers = kRopeBuffers};
}

}  // namespace hrt
