// Llama and the families that differ from it in defaults, biases and windows only.

#include <algorithm>

#include "config_values.h"
#include "family_specs.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "rope_config.h"

namespace hrt {
namespace {

struct Defaults {
  std::int64_t kv_heads = 0;  // 0: as many as heads
  std::int64_t max_positions = 0;
};

std::int64_t read_kv_heads(const JsonObject& config, std::int64_t heads, std::int64_t fallback) {
  constexpr std::string_view key = "num_key_value_heads";
  const bool as_heads = is_null(config, key) || fallback == 0;
  const std::int64_t kv_heads = read_size(config, key, kMaxWidth, as_heads ? heads : fallback);
  if (heads % kv_heads != 0) {
    throw InputError("{} is {}, which does not divide num_attention_heads, {}", config.where(key), kv_heads,
                     heads);
  }
  return kv_heads;
}

std::int64_t read_head_dim(const JsonObject& config, const DecoderSpec& spec) {
  if (!config.has("head_dim") && spec.hidden % spec.heads != 0) {
    throw InputError("{} is {}, expected a multiple of num_attention_heads, {}", config.where("hidden_size"),
                     spec.hidden, spec.heads);
  }
  const std::int64_t head_dim = read_size(config, "head_dim", kMaxWidth, spec.hidden / spec.heads);
  // Halves are rotated; dynamic scaling divides by head_dim - 2.
  const std::int64_t least = spec.rope.kind == RopeSpec::Kind::kDynamic ? 4 : 2;
  if (head_dim % 2 != 0 || head_dim < least) {
    throw InputError("{}: heads have {} dimensions, expected an even number from {}",
                     config.where("head_dim"), head_dim, least);
  }
  return head_dim;
}

DecoderSpec common_spec(const JsonObject& config, const Defaults& defaults) {
  DecoderSpec spec;
  spec.family = config.string("model_type");
  spec.layers = read_size(config, "num_hidden_layers", kMaxLayers);
  spec.hidden = read_size(config, "hidden_size", kMaxWidth);
  spec.intermediate = read_size(config, "intermediate_size", kMaxWidth);
  spec.heads = read_size(config, "num_attention_heads", kMaxWidth);
  spec.kv_heads = read_kv_heads(config, spec.heads, defaults.kv_heads);
  spec.vocabulary = read_size(config, "vocab_size", kMaxWidth);
  spec.max_positions = read_size(config, "max_position_embeddings", kMaxPositions, defaults.max_positions);
  spec.norm_eps = config.has("rms_norm_eps") ? read_number(config, "rms_norm_eps", 0, 1) : 1e-6;
  spec.activation = read_activation(config, "hidden_act", "silu");
  spec.tied_head = config.boolean("tie_word_embeddings", false);
  spec.rope = read_rope(config, spec.max_positions);
  spec.head_dim = read_head_dim(config, spec);
  spec.window.assign(static_cast<std::size_t>(spec.layers), 0);
  return spec;
}

// 0 when there is none, which is what null means; a written 0 would hide every key.
std::int64_t read_window(const JsonObject& config, std::int64_t absent) {
  if (is_null(config, "sliding_window")) return 0;
  return read_size(config, "sliding_window", kMaxPositions, absent);
}

// `layer_types`, as a window for each layer.
void apply_layer_types(const JsonObject& config, std::int64_t window, DecoderSpec& spec) {
  const Json& types = *config.find("layer_types");
  const std::string where = config.where("layer_types");
  if (!types.is_array() || types.size() != spec.window.size()) {
    throw InputError("{} must list a type for each of the {} layers", where, spec.layers);
  }
  for (std::size_t layer = 0; layer < types.size(); ++layer) {
    if (types[layer] == "full_attention") continue;
    if (types[layer] != "sliding_attention") {
      throw InputError("{}/{} is {}, expected \"full_attention\" or \"sliding_attention\"", where, layer,
                       escape_for_terminal(to_line(types[layer])));
    }
    if (window == 0) throw InputError("{}/{} slides, but no sliding_window is in use", where, layer);
    spec.window[layer] = window;
  }
}

}  // namespace

DecoderSpec llama_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 0, .max_positions = 2048});
  spec.qkv_bias = spec.output_bias = config.boolean("attention_bias", false);
  spec.mlp_bias = config.boolean("mlp_bias", false);
  return spec;
}

DecoderSpec mistral_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 8, .max_positions = 131072});
  spec.window.assign(spec.window.size(), read_window(config, 4096));
  return spec;
}

DecoderSpec qwen2_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 32, .max_positions = 32768});
  spec.qkv_bias = true;
  const std::int64_t window = config.boolean("use_sliding_window", false) ? read_window(config, 4096) : 0;
  if (config.has("layer_types")) {
    apply_layer_types(config, window, spec);
    return spec;
  }
  const std::int64_t first = config.integer("max_window_layers", 28);
  for (std::int64_t layer = std::max<std::int64_t>(first, 0); layer < spec.layers; ++layer) {
    spec.window[static_cast<std::size_t>(layer)] = window;
  }
  return spec;
}

WeightNames llama_names(const DecoderSpec& spec) {
  WeightNames names{"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight", {}};
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    const std::string prefix = fmt::format("model.layers.{}.", layer);
    const auto linear = [&](std::string_view name, bool bias) {
      return LinearNames{fmt::format("{}{}.weight", prefix, name),
                         bias ? fmt::format("{}{}.bias", prefix, name) : std::string()};
    };
    names.layers.push_back({.attention_norm = prefix + "input_layernorm.weight",
                            .q = linear("self_attn.q_proj", spec.qkv_bias),
                            .k = linear("self_attn.k_proj", spec.qkv_bias),
                            .v = linear("self_attn.v_proj", spec.qkv_bias),
                            .o = linear("self_attn.o_proj", spec.output_bias),
                            .mlp_norm = prefix + "post_attention_layernorm.weight",
                            .gate = linear("mlp.gate_proj", spec.mlp_bias),
                            .up = linear("mlp.up_proj", spec.mlp_bias),
                            .down = linear("mlp.down_proj", spec.mlp_bias)});
  }
  return names;
}

}  // namespace hrt
