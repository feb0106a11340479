// Gemma 1, 2 and 3: norms whose weights are stored minus 1, a scaled embedding, gelu.

#include <cmath>

#include "common_spec.h"
#include "config_values.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope;
constexpr RopeRules kRope3{
    .theta = 1000000.0, .local_theta = 10000.0, .local_theta_key = "rope_local_base_freq"};

constexpr NameTable kSandwichNames{.qkv = kQkvNames,
                                   .attention_post_norm = "post_attention_layernorm",
                                   .mlp_norm = "pre_feedforward_layernorm",
                                   .gate_up = kGateUpNames,
                                   .mlp_post_norm = "post_feedforward_layernorm"};

// As published, and as transformers 5 saves it.
constexpr WeightPrefix kPrefixes3[] = {
    {"model.", ""}, {"language_model.model.", "language_model."}, {"model.language_model.", ""}};

DecoderSpec gemma_like(const JsonObject& config, CommonDefaults defaults, const RopeRules& rope) {
  defaults.head_dim = 256;
  defaults.activation = "gelu_pytorch_tanh";
  defaults.tied_head = true;
  DecoderSpec spec = common_spec(config, defaults, rope);
  read_attention_bias(config, spec);
  spec.norm_plus_one = true;
  spec.embedding_scale = std::sqrt(static_cast<double>(spec.hidden));
  return spec;
}

// The published configs say "gelu" and mean the tanh kind.
DecoderSpec gemma_spec(const JsonObject& config) {
  DecoderSpec spec = gemma_like(config, {.kv_heads = 16, .max_positions = 8192}, kRope);
  if (spec.activation == Activation::kGelu) spec.activation = Activation::kGeluTanh;
  return spec;
}

// Norms on both sides of attention and MLP, and a query scale of its own.
DecoderSpec sandwich(const JsonObject& config, CommonDefaults defaults, const RopeRules& rope) {
  defaults.kv_heads = 4;
  defaults.activation_key = "hidden_activation";
  DecoderSpec spec = gemma_like(config, defaults, rope);
  spec.post_norms = true;
  spec.query_scale = 1 / std::sqrt(read_multiplier(config, "query_pre_attn_scalar", 256));
  return spec;
}

double read_softcap(const JsonObject& config, std::string_view key, double absent) {
  return is_null(config, key) ? 0 : read_multiplier(config, key, absent);
}

DecoderSpec gemma2_spec(const JsonObject& config) {
  DecoderSpec spec = sandwich(config, {.max_positions = 8192}, kRope);
  spec.attention_softcap = read_softcap(config, "attn_logit_softcapping", 50);
  spec.logit_softcap = read_softcap(config, "final_logit_softcapping", 30);
  const std::int64_t window = read_window(config, 4096);
  if (config.has("layer_types")) {
    apply_layer_types(config, window, spec);
  } else {
    for (std::size_t layer = 0; layer < spec.window.size(); layer += 2) spec.window[layer] = window;
  }
  return spec;
}

// All layers but every `sliding_window_pattern`-th slide; those that do are rotated locally.
DecoderSpec gemma3_spec(const JsonObject& config) {
  DecoderSpec spec = sandwich(config, {.heads = 8, .vocabulary = 262208, .max_positions = 131072}, kRope3);
  spec.qk_norm = QkNorm::kHead;
  spec.logit_softcap = read_softcap(config, "final_logit_softcapping", 0);
  const std::int64_t window = read_window(config, 4096);
  const auto pattern = static_cast<std::size_t>(read_size(config, "sliding_window_pattern", kMaxLayers, 6));
  if (config.has("layer_types")) apply_layer_types(config, window, spec);
  for (std::size_t layer = 0; layer < spec.window.size(); ++layer) {
    if (!config.has("layer_types") && (layer + 1) % pattern != 0) spec.window[layer] = window;
    if (spec.window[layer] > 0) spec.rotation[layer] = Rotation::kLocal;
  }
  return spec;
}

constexpr auto kReadByAll = concatenate(kCommonKeys, {"attention_bias", "rms_norm_eps"});
constexpr auto kRead = concatenate(kReadByAll, {"hidden_act"});
constexpr auto kRead2 =
    concatenate(kReadByAll, {"attn_logit_softcapping", "final_logit_softcapping", "hidden_activation",
                             "layer_types", "query_pre_attn_scalar", "sliding_window"});
constexpr auto kRead3 = concatenate(
    kReadByAll, {"final_logit_softcapping", "hidden_activation", "layer_types", "query_pre_attn_scalar",
                 "rope_local_base_freq", "sliding_window", "sliding_window_pattern"});
// Gemma 1 ignores hidden_activation, the others hidden_act; transformers 5 writes _sliding_window_pattern,
// which means nothing.
constexpr std::string_view kHarmless[] = {"cache_implementation", "hidden_activation"};
constexpr std::string_view kHarmless23[] = {"_sliding_window_pattern", "cache_implementation", "hidden_act",
                                            "sliding_window_size"};
constexpr UnsupportedKey kUnsupported[] = {{"use_bidirectional_attention", "false"}};
constexpr UnsupportedKey kUnsupported3[] = {{"attn_logit_softcapping", "null"},
                                            {"use_bidirectional_attention", "false"}};

}  // namespace

Family gemma_family() {
  return {.model_type = "gemma",
          .title = "Gemma 1",
          .spec = gemma_spec,
          .names = kLlamaNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = kHarmless,
          .unsupported = kUnsupported,
          .buffers = kRopeBuffers};
}

Family gemma2_family() {
  return {.model_type = "gemma2",
          .title = "Gemma 2",
          .spec = gemma2_spec,
          .names = kSandwichNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead2,
          .harmless = kHarmless23,
          .unsupported = kUnsupported,
          .buffers = kRopeBuffers};
}

Family gemma3_text_family() {
  return {.model_type = "gemma3_text",
          .title = "Gemma 3 (the text part also of model_type gemma3)",
          .spec = gemma3_spec,
          .names = kSandwichNames,
          .prefixes = kPrefixes3,
          .rope = kRope3,
          .read = kRead3,
          .harmless = kHarmless23,
          .unsupported = kUnsupported3,
          .buffers = kRopeBuffers};
}

}  // namespace hrt
