// Granite 3: Llama with multipliers.

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope;

DecoderSpec granite_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.max_positions = 2048}, kRope);
  read_attention_bias(config, spec);
  spec.mlp_bias = config.boolean("mlp_bias", false);
  spec.embedding_scale = read_multiplier(config, "embedding_multiplier", 1);
  spec.residual_scale = read_multiplier(config, "residual_multiplier", 1);
  spec.query_scale = read_multiplier(config, "attention_multiplier", 1);
  spec.logit_scale = 1 / read_multiplier(config, "logits_scaling", 1);
  return spec;
}

constexpr auto kRead =
    concatenate(kLlamaLikeKeys, {"attention_bias", "attention_multiplier", "embedding_multiplier",
                                 "logits_scaling", "mlp_bias", "residual_multiplier"});

}  // namespace

Family granite_family() {
  return {.model_type = "granite",
          .title = "Granite 3",
          .spec = granite_spec,
          .names = kLlamaNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = {},
          .unsupported = {},
          .buffers = kRopeBuffers};
}

}  // namespace hrt
