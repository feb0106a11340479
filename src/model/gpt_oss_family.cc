// gpt-oss: experts in 4 bits, attention with sinks, every other layer with a window.

#include "common_spec.h"
#include "config_values.h"
#include "family_parts.h"
#include "family_table.h"
#include "hrt/base/error.h"
#include "mxfp4.h"

namespace hrt {
namespace {

constexpr RopeRules kRope{.theta = 150000.0};
constexpr ExpertDefaults kExperts{
    .count_keys = {"num_experts", "num_local_experts"}, .count = 128, .per_token = 4};

constexpr std::string_view kStackedGateUp[] = {"gate_up_proj"};
constexpr NameTable kNames{
    .qkv = kQkvNames, .gate_up = {}, .router = "mlp.router", .expert_gate_up = kStackedGateUp};

// What transformers takes where the config has no RoPE object at all.
void read_absent_rope(const JsonObject& config, RopeSpec& rope) {
  if (config.has("rope_parameters") || config.has("rope_scaling")) return;
  rope.kind = RopeSpec::Kind::kYarn;
  rope.factor = 32;
  rope.original_max_positions = 4096;
  rope.truncate = false;
}

void read_windows(const JsonObject& config, DecoderSpec& spec) {
  const std::int64_t window = read_window(config, 128);
  if (config.has("layer_types")) {
    apply_layer_types(config, window, spec);
    return;
  }
  for (std::size_t layer = 0; layer < spec.window.size(); layer += 2) spec.window[layer] = window;
}

// As published in MXFP4; saved again in another dtype without a word about quantisation.
ExpertsSpec::Files read_files(const JsonObject& config, const DecoderSpec& spec) {
  if (!config.has("quantization_config")) return ExpertsSpec::Files::kStacked;
  for (const std::string_view key : {"hidden_size", "intermediate_size"}) {
    const std::int64_t size = key == "hidden_size" ? spec.hidden : spec.intermediate;
    if (size % kMxfp4Group != 0) {
      throw InputError("{} is {}, expected a multiple of MXFP4's {}", config.where(key), size, kMxfp4Group);
    }
  }
  return ExpertsSpec::Files::kMxfp4;
}

DecoderSpec gpt_oss_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config,
                                 {.heads = 64,
                                  .kv_heads = 8,
                                  .head_dim = 64,
                                  .vocabulary = 201088,
                                  .max_positions = 131072,
                                  .norm_eps = 1e-5},
                                 kRope);
  spec.qkv_bias = spec.output_bias = config.boolean("attention_bias", true);
  spec.attention_sinks = true;
  read_absent_rope(config, spec.rope);
  read_windows(config, spec);
  spec.mlp_bias = true;
  spec.clamped_swiglu = {.alpha = read_multiplier(config, "swiglu_alpha", 1.702),
                         .limit = read_multiplier(config, "swiglu_limit", 7.0)};
  spec.experts = read_experts(config, kExperts, spec.layers);
  spec.experts->router_bias = true;
  spec.experts->files = read_files(config, spec);
  return spec;
}

constexpr auto kRead =
    concatenate(kLlamaLikeKeys, {"attention_bias", "layer_types", "num_experts", "num_experts_per_tok",
                                 "num_local_experts", "sliding_window", "swiglu_alpha", "swiglu_limit"});
// Of training. experts_per_token, initial_context_length: notes of the first version, beside the keys that
// count.
constexpr std::string_view kHarmless[] = {"experts_per_token", "initial_context_length",
                                          "output_router_logits", "router_aux_loss_coef"};

}  // namespace

Family gpt_oss_family() {
  return {.model_type = "gpt_oss",
          .title = "gpt-oss",
          .spec = gpt_oss_spec,
          .names = kNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = kHarmless,
          .unsupported = {},
          .quantisation = "mxfp4",
          .buffers = {}};
}

}  // namespace hrt
