// OLMo 2: norms only behind attention and MLP, and of queries and keys as wholes.

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope;

constexpr NameTable kNames{.attention_norm = "",
                           .qkv = kQkvNames,
                           .attention_post_norm = "post_attention_layernorm",
                           .mlp_norm = "",
                           .gate_up = kGateUpNames,
                           .mlp_post_norm = "post_feedforward_layernorm"};

DecoderSpec olmo2_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.max_positions = 2048, .norm_eps = 1e-5}, kRope);
  read_attention_bias(config, spec);
  spec.pre_norms = false;
  spec.post_norms = true;
  spec.qk_norm = QkNorm::kProjection;
  return spec;
}

constexpr auto kRead = concatenate(kLlamaLikeKeys, {"attention_bias"});
constexpr UnsupportedKey kUnsupported[] = {{"clip_qkv", "null"}};

}  // namespace

Family olmo2_family() {
  return {.model_type = "olmo2",
          .title = "OLMo 2",
          .spec = olmo2_spec,
          .names = kNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = {},
          .unsupported = kUnsupported,
          .buffers = kRopeBuffers};
}

}  // namespace hrt
