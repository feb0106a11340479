// Command R: attention and MLP side by side behind one layer norm without bias; pairs of neighbours rotate.

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope{.theta = 500000.0};

constexpr NameTable kNames{.qkv = kQkvNames, .mlp_norm = "input_layernorm", .gate_up = kGateUpNames};

DecoderSpec cohere_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(
      config, {.max_positions = 8192, .norm_eps_key = "layer_norm_eps", .norm_eps = 1e-5, .tied_head = true},
      kRope);
  read_attention_bias(config, spec);
  spec.norm = NormKind::kLayer;
  spec.parallel = spec.shared_norm = true;
  spec.rotates_neighbours = true;
  spec.logit_scale = read_multiplier(config, "logit_scale", 0.0625);
  return spec;
}

constexpr auto kRead =
    concatenate(kCommonKeys, {"attention_bias", "hidden_act", "layer_norm_eps", "logit_scale"});
constexpr std::string_view kHarmless[] = {"model_max_length", "pretraining_tp"};
constexpr UnsupportedKey kUnsupported[] = {{"use_qk_norm", "false"}};

}  // namespace

Family cohere_family() {
  return {.model_type = "cohere",
          .title = "Command R",
          .spec = cohere_spec,
          .names = kNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = kHarmless,
          .unsupported = kUnsupported,
          .buffers = kRopeBuffers};
}

}  // namespace hrt
