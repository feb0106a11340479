// Qwen 1.5, 2 and 3 with experts in all layers or some.

#include <algorithm>

#include "common_spec.h"
#include "config_values.h"
#include "family_parts.h"
#include "family_table.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr RopeRules kRope;
constexpr ExpertDefaults kQwen2Experts{.count_keys = {"num_experts", "num_experts"},
                                       .count = 60,
                                       .per_token = 4,
                                       .intermediate_key = "moe_intermediate_size",
                                       .intermediate = 1408};
constexpr ExpertDefaults kQwen3Experts{.count_keys = {"num_local_experts", "num_experts"},
                                       .count = 128,
                                       .per_token = 8,
                                       .intermediate_key = "moe_intermediate_size",
                                       .intermediate = 768};

constexpr std::string_view kExpertGateUp[] = {"gate_proj", "up_proj"};
constexpr std::string_view kSharedGateUp[] = {"mlp.shared_expert.gate_proj", "mlp.shared_expert.up_proj"};
constexpr NameTable kNames{.qkv = kQkvNames,
                           .gate_up = kGateUpNames,
                           .expert_gate_up = kExpertGateUp,
                           .shared_gate_up = kSharedGateUp};

// Every `decoder_sparse_step`-th layer, but those that `mlp_only_layers` lists.
void read_sparse_layers(const JsonObject& config, ExpertsSpec& experts) {
  const auto step = static_cast<std::size_t>(read_size(config, "decoder_sparse_step", kMaxLayers, 1));
  for (std::size_t layer = 0; layer < experts.layers.size(); ++layer) {
    experts.layers[layer] = (layer + 1) % step == 0;
  }
  const Json* dense = config.find("mlp_only_layers");
  if (dense == nullptr) return;
  const bool indices = dense->is_array() && std::ranges::all_of(*dense, &Json::is_number_unsigned);
  if (!indices) {
    throw InputError("{} is {}, expected a list of layers", config.where("mlp_only_layers"),
                     escape_for_terminal(to_line(*dense)));
  }
  for (const Json& layer : *dense) {
    const auto index = layer.get<std::size_t>();
    if (index < experts.layers.size()) experts.layers[index] = false;
  }
}

ExpertsSpec qwen_experts(const JsonObject& config, const ExpertDefaults& defaults, std::int64_t layers) {
  ExpertsSpec experts = read_experts(config, defaults, layers);
  experts.normalised = config.boolean("norm_topk_prob", false);
  read_sparse_layers(config, experts);
  return experts;
}

std::int64_t window_in_use(const JsonObject& config) {
  return config.boolean("use_sliding_window", false) ? read_window(config, 4096) : 0;
}

// Every other layer below max_window_layers, unless layer_types says otherwise.
void read_alternating_windows(const JsonObject& config, DecoderSpec& spec) {
  const std::int64_t window = window_in_use(config);
  if (config.has("layer_types")) {
    apply_layer_types(config, window, spec);
    return;
  }
  const std::int64_t end = std::min(config.integer("max_window_layers", 28), spec.layers);
  for (std::int64_t layer = 0; layer < end; layer += 2) spec.window[static_cast<std::size_t>(layer)] = window;
}

DecoderSpec qwen2_moe_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 16, .max_positions = 32768}, kRope);
  spec.qkv_bias = config.boolean("qkv_bias", true);
  spec.experts = qwen_experts(config, kQwen2Experts, spec.layers);
  spec.experts->shared_intermediate = read_size(config, "shared_expert_intermediate_size", kMaxWidth, 5632);
  read_alternating_windows(config, spec);
  return spec;
}

DecoderSpec qwen3_moe_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 4, .max_positions = 32768}, kRope);
  read_attention_bias(config, spec);
  spec.qk_norm = QkNorm::kHead;
  spec.experts = qwen_experts(config, kQwen3Experts, spec.layers);
  spec.window.assign(spec.window.size(), window_in_use(config));
  return spec;
}

constexpr auto kReadByBoth = concatenate(
    kLlamaLikeKeys, {"decoder_sparse_step", "mlp_only_layers", "moe_intermediate_size", "norm_topk_prob",
                     "num_experts", "num_experts_per_tok", "sliding_window", "use_sliding_window"});
constexpr auto kQwen2Read = concatenate(
    kReadByBoth, {"layer_types", "max_window_layers", "qkv_bias", "shared_expert_intermediate_size"});
constexpr auto kQwen3Read = concatenate(kReadByBoth, {"attention_bias", "num_local_experts"});
// Of training. max_window_layers: written by Qwen 3, but not read by transformers.
constexpr std::string_view kQwen2Harmless[] = {"output_router_logits", "router_aux_loss_coef"};
constexpr std::string_view kQwen3Harmless[] = {"max_window_layers", "output_router_logits",
                                               "router_aux_loss_coef"};
constexpr UnsupportedKey kQwen2Unsupported[] = {{"mlp_bias", "false"}, {"use_mrope", "false"}};
constexpr UnsupportedKey kQwen3Unsupported[] = {
    {"layer_types", "null"}, {"mlp_bias", "false"}, {"use_mrope", "false"}};

}  // namespace

Family qwen2_moe_family() {
  return {.model_type = "qwen2_moe",
          .title = "Qwen 1.5 and 2 with experts",
          .spec = qwen2_moe_spec,
          .names = kNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kQwen2Read,
          .harmless = kQwen2Harmless,
          .unsupported = kQwen2Unsupported,
          .buffers = kRopeBuffers};
}

Family qwen3_moe_family() {
  return {.model_type = "qwen3_moe",
          .title = "Qwen 3 with experts",
          .spec = qwen3_moe_spec,
          .names = kNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kQwen3Read,
          .harmless = kQwen3Harmless,
          .unsupported = kQwen3Unsupported,
          .buffers = kRopeBuffers};
}

}  // namespace hrt
