// Phi-3, 3.5 and 4: fused q, k and v, fused gate and up.

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope{.partial_key = "partial_rotary_factor", .phi3 = true};

constexpr std::string_view kQkv[] = {"self_attn.qkv_proj"};
constexpr std::string_view kGateUp[] = {"mlp.gate_up_proj"};
constexpr NameTable kNames{.qkv = kQkv, .gate_up = kGateUp};

DecoderSpec phi3_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.max_positions = 4096, .norm_eps = 1e-5}, kRope);
  spec.window.assign(spec.window.size(), read_window(config, 0));
  return spec;
}

constexpr auto kRead = concatenate(kLlamaLikeKeys, {"partial_rotary_factor", "sliding_window"});
constexpr std::string_view kHarmless[] = {"embd_pdrop", "resid_pdrop"};
// The last four: of Phi-4-mini, not read by transformers.
constexpr UnsupportedKey kUnsupported[] = {{"attention_bias", "false"},
                                           {"full_attn_mod", "1"},
                                           {"interpolate_factor", "1"},
                                           {"lm_head_bias", "false"},
                                           {"mlp_bias", "false"}};

}  // namespace

Family phi3_family() {
  return {.model_type = "phi3",
          .title = "Phi-3, 3.5, 4, 4-mini",
          .spec = phi3_spec,
          .names = kNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kRead,
          .harmless = kHarmless,
          .unsupported = kUnsupported,
          .buffers = kRopeBuffers};
}

}  // namespace hrt
