// Qwen 2 and 3.

#include <algorithm>

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope;

// Only where use_sliding_window says so; layer_types, where present, names the layers.
void read_windows(const JsonObject& config, DecoderSpec& spec) {
  const std::int64_t window = config.boolean("use_sliding_window", false) ? read_window(config, 4096) : 0;
  if (config.has("layer_types")) {
    apply_layer_types(config, window, spec);
    return;
  }
  const std::int64_t first = config.integer("max_window_layers", 28);
  for (std::int64_t layer = std::max<std::int64_t>(first, 0); layer < spec.layers; ++layer) {
    spec.window[static_cast<std::size_t>(layer)] = window;
  }
}

DecoderSpec qwen2_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 32, .max_positions = 32768}, kRope);
  spec.qkv_bias = true;
  read_windows(config, spec);
  return spec;
}

DecoderSpec qwen3_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 32, .head_dim = 128, .max_positions = 32768}, kRope);
  read_attention_bias(config, spec);
  spec.qk_norm = QkNorm::kHead;
  read_windows(config, spec);
  return spec;
}

constexpr auto kQwen2Read =
    concatenate(kLlamaLikeKeys, {"layer_types", "max_window_layers", "sliding_window", "use_sliding_window"});
constexpr auto kQwen3Read = concatenate(kQwen2Read, {"attention_bias"});
// use_mrope: of the vision models, written false by some others.
constexpr UnsupportedKey kUnsupported[] = {{"mlp_bias", "false"}, {"use_mrope", "false"}};

}  // namespace

Family qwen2_family() {
  return {.model_type = "qwen2",
          .title = "Qwen 1.5, 2, 2.5",
          .spec = qwen2_spec,
          .names = kLlamaNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kQwen2Read,
          .harmless = {},
          .unsupported = kUnsupported,
          .buffers = kRopeBuffers};
}

Family qwen3_family() {
  return {.model_type = "qwen3",
          .title = "Qwen 3",
          .spec = qwen3_spec,
          .names = kLlamaNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kQwen3Read,
          .harmless = {},
          .unsupported = kUnsupported,
          .buffers = kRopeBuffers};
}

}  // namespace hrt
