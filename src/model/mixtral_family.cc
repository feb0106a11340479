// Mixtral: Mistral with experts instead of the MLP.

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope{.theta = 1000000.0};
constexpr ExpertDefaults kExperts{
    .count_keys = {"num_experts", "num_local_experts"}, .count = 8, .per_token = 2};

constexpr std::string_view kExpertGateUp[] = {"w1", "w3"};
constexpr NameTable kNames{.qkv = kQkvNames,
                           .router = "block_sparse_moe.gate",
                           .experts = "block_sparse_moe.experts",
                           .expert_gate_up = kExpertGateUp,
                           .expert_down = "w2"};

DecoderSpec mixtral_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 8, .max_positions = 131072, .norm_eps = 1e-5}, kRope);
  spec.window.assign(spec.window.size(), read_window(config, 0));
  spec.experts = read_experts(config, kExperts, spec.layers);
  return spec;
}

constexpr auto kRead = concatenate(
    kLlamaLikeKeys, {"num_experts", "num_experts_per_tok", "num_local_experts", "sliding_window"});
// Of training.
constexpr std::string_view kHarmless[] = {"output_router_logits", "router_aux_loss_coef",
                                          "router_jitter_noise"};
constexpr UnsupportedKey kUnsupported[] = {
    {"attention_bias", "false"}, {"layer_types", "null"}, {"mlp_bias", "false"}};

}  // namespace

Family mixtral_family() {
  return {.model_type = "mixtral",
          .title = "Mixtral",
          .spec = mixtral_spec,
          .names = kNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = kHarmless,
          .unsupported = kUnsupported,
          .buffers = kRopeBuffers};
}

}  // namespace hrt
