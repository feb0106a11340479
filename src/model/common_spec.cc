#include "common_spec.h"

#include "config_values.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "rope_config.h"

namespace hrt {
namespace {

constexpr double kMaxMultiplier = 1e9;

// Required where the family has no default.
std::int64_t size_or(const JsonObject& config, std::string_view key, std::int64_t fallback) {
  return fallback == 0 ? read_size(config, key, kMaxWidth) : read_size(config, key, kMaxWidth, fallback);
}

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

std::int64_t read_head_dim(const JsonObject& config, const DecoderSpec& spec, std::int64_t fallback) {
  constexpr std::string_view key = "head_dim";
  const bool as_hidden = is_null(config, key) || fallback == 0;
  if (as_hidden && !config.has(key) && spec.hidden % spec.heads != 0) {
    throw InputError("{} is {}, expected a multiple of num_attention_heads, {}", config.where("hidden_size"),
                     spec.hidden, spec.heads);
  }
  const std::int64_t head_dim =
      read_size(config, key, kMaxWidth, as_hidden ? spec.hidden / spec.heads : fallback);
  // Halves are rotated.
  if (head_dim % 2 != 0) {
    throw InputError("{}: heads have {} dimensions, expected an even number", config.where(key), head_dim);
  }
  return head_dim;
}

}  // namespace

DecoderSpec common_spec(const JsonObject& config, const CommonDefaults& defaults, const RopeRules& rope) {
  DecoderSpec spec;
  spec.family = config.string("model_type");
  spec.layers = read_size(config, "num_hidden_layers", kMaxLayers);
  spec.hidden = read_size(config, "hidden_size", kMaxWidth);
  spec.intermediate = read_size(config, "intermediate_size", kMaxWidth);
  spec.heads = size_or(config, "num_attention_heads", defaults.heads);
  spec.kv_heads = read_kv_heads(config, spec.heads, defaults.kv_heads);
  spec.head_dim = read_head_dim(config, spec, defaults.head_dim);
  spec.vocabulary = size_or(config, "vocab_size", defaults.vocabulary);
  spec.max_positions = read_size(config, "max_position_embeddings", kMaxPositions, defaults.max_positions);
  const std::string_view eps = defaults.norm_eps_key;
  spec.norm_eps = config.has(eps) ? read_number(config, eps, 0, 1) : defaults.norm_eps;
  spec.activation = read_activation(config, defaults.activation_key, defaults.activation);
  spec.tied_head = config.boolean("tie_word_embeddings", defaults.tied_head);
  read_rope(config, rope, spec);
  spec.window.assign(static_cast<std::size_t>(spec.layers), 0);
  spec.rotation.assign(static_cast<std::size_t>(spec.layers), Rotation::kGlobal);
  return spec;
}

void read_attention_bias(const JsonObject& config, DecoderSpec& spec) {
  spec.qkv_bias = spec.output_bias = config.boolean("attention_bias", false);
}

ExpertsSpec read_experts(const JsonObject& config, const ExpertDefaults& defaults, std::int64_t layers) {
  const auto [first, second] = defaults.count_keys;
  const std::string_view per_token = "num_experts_per_tok";
  const std::int64_t most = kMaxExperts / layers;
  ExpertsSpec experts;
  experts.count = read_size(config, config.has(first) ? first : second, most, defaults.count);
  experts.per_token = read_size(config, per_token, most, defaults.per_token);
  if (experts.per_token > experts.count) {
    throw InputError("{} is {}, more than the {} experts", config.where(per_token), experts.per_token,
                     experts.count);
  }
  experts.intermediate = size_or(config, defaults.intermediate_key, defaults.intermediate);
  experts.layers.assign(static_cast<std::size_t>(layers), true);
  return experts;
}

double read_multiplier(const JsonObject& config, std::string_view key, double fallback) {
  return config.has(key) ? read_number(config, key, 1 / kMaxMultiplier, kMaxMultiplier) : fallback;
}

std::int64_t read_window(const JsonObject& config, std::int64_t absent) {
  if (is_null(config, "sliding_window")) return 0;
  return read_size(config, "sliding_window", kMaxPositions, absent);
}

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

}  // namespace hrt
