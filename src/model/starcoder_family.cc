// StarCoder2: layer norms and a plain MLP.

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope;

constexpr std::string_view kUp[] = {"mlp.c_fc"};
constexpr NameTable kNames{.qkv = kQkvNames, .gate_up = kUp, .down = "mlp.c_proj"};

DecoderSpec starcoder2_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config,
                                 {.kv_heads = 2,
                                  .max_positions = 4096,
                                  .norm_eps_key = "norm_epsilon",
                                  .norm_eps = 1e-5,
                                  .activation = "gelu_pytorch_tanh",
                                  .tied_head = true},
                                 kRope);
  spec.qkv_bias = spec.output_bias = spec.mlp_bias = config.boolean("use_bias", true);
  spec.norm = NormKind::kLayer;
  spec.norm_bias = true;
  spec.gated = false;
  spec.window.assign(spec.window.size(), read_window(config, 0));
  return spec;
}

constexpr auto kRead = concatenate(kCommonKeys, {"hidden_act", "norm_epsilon", "sliding_window", "use_bias"});
// The published configs repeat keys of the first StarCoder, which transformers does not read.
constexpr std::string_view kHarmless[] = {"activation_function", "attention_softmax_in_fp32",
                                          "embedding_dropout",   "layer_norm_epsilon",
                                          "residual_dropout",    "scale_attention_softmax_in_fp32"};
constexpr UnsupportedKey kUnsupported[] = {
    {"mlp_type", "\"default\""}, {"norm_type", "\"layer_norm\""}, {"scale_attn_weights", "true"}};

}  // namespace

Family starcoder2_family() {
  return {.model_type = "starcoder2",
          .title = "StarCoder2",
          .spec = starcoder2_spec,
          .names = kNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = kHarmless,
          .unsupported = kUnsupported,
          .buffers = kRopeBuffers};
}

}  // namespace hrt
