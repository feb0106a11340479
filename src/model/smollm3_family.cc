// SmolLM3: Llama, of which some layers do not rotate.

#include "common_spec.h"
#include "config_values.h"
#include "family_parts.h"
#include "family_table.h"
#include "hrt/base/error.h"

namespace hrt {
namespace {

constexpr RopeRules kRope{.theta = 2000000.0};

// 0 in `no_rope_layers`: a layer without rotation.
void read_rotation(const JsonObject& config, DecoderSpec& spec) {
  const Json* list = config.find("no_rope_layers");
  if (list != nullptr && (!list->is_array() || list->size() < spec.rotation.size())) {
    throw InputError("{} must list 0 or 1 for each of the {} layers", config.where("no_rope_layers"),
                     spec.layers);
  }
  const std::int64_t interval = read_size(config, "no_rope_layer_interval", kMaxLayers, 4);
  for (std::size_t layer = 0; layer < spec.rotation.size(); ++layer) {
    const bool rotates =
        list != nullptr ? (*list)[layer] != 0 : (static_cast<std::int64_t>(layer) + 1) % interval != 0;
    if (!rotates) spec.rotation[layer] = Rotation::kNone;
  }
}

// Where no layer_types say otherwise, the layers without rotation slide.
void read_windows(const JsonObject& config, DecoderSpec& spec) {
  const std::int64_t window = config.boolean("use_sliding_window", false) ? read_window(config, 0) : 0;
  if (config.has("layer_types")) {
    apply_layer_types(config, window, spec);
    return;
  }
  for (std::size_t layer = 0; layer < spec.window.size(); ++layer) {
    if (spec.rotation[layer] == Rotation::kNone) spec.window[layer] = window;
  }
}

DecoderSpec smollm3_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 4, .max_positions = 32768, .tied_head = true}, kRope);
  read_attention_bias(config, spec);
  spec.mlp_bias = config.boolean("mlp_bias", false);
  read_rotation(config, spec);
  read_windows(config, spec);
  return spec;
}

constexpr auto kRead =
    concatenate(kLlamaLikeKeys, {"attention_bias", "layer_types", "mlp_bias", "no_rope_layer_interval",
                                 "no_rope_layers", "sliding_window", "use_sliding_window"});
// pretraining_tp only splits matrix products. max_window_layers: written, but not read by transformers.
constexpr std::string_view kHarmless[] = {"max_window_layers", "pretraining_tp"};

}  // namespace

Family smollm3_family() {
  return {.model_type = "smollm3",
          .title = "SmolLM3",
          .spec = smollm3_spec,
          .names = kLlamaNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = kHarmless,
          .unsupported = {},
          .buffers = kRopeBuffers};
}

}  // namespace hrt
