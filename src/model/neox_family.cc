// GPT-NeoX and Pythia: layer norms, attention and MLP side by side, q, k and v fused head by head.

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope{.theta_key = "rotary_emb_base", .partial = 0.25, .partial_key = "rotary_pct"};

constexpr std::string_view kQkv[] = {"attention.query_key_value"};
constexpr std::string_view kUp[] = {"mlp.dense_h_to_4h"};
constexpr NameTable kNames{.embedding = "embed_in",
                           .final_norm = "final_layer_norm",
                           .head = "embed_out",
                           .qkv = kQkv,
                           .o = "attention.dense",
                           .gate_up = kUp,
                           .down = "mlp.dense_4h_to_h"};
constexpr WeightPrefix kPrefixes[] = {{"gpt_neox.", ""}};

DecoderSpec gpt_neox_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(
      config,
      {.max_positions = 2048, .norm_eps_key = "layer_norm_eps", .norm_eps = 1e-5, .activation = "gelu"},
      kRope);
  spec.qkv_bias = spec.output_bias = config.boolean("attention_bias", true);
  spec.mlp_bias = true;
  spec.norm = NormKind::kLayer;
  spec.norm_bias = true;
  spec.parallel = config.boolean("use_parallel_residual", true);
  spec.gated = false;
  spec.qkv_by_head = true;
  return spec;
}

constexpr std::string_view kRead[] = {
    "attention_bias",      "hidden_act",          "hidden_size",
    "intermediate_size",   "layer_norm_eps",      "max_position_embeddings",
    "num_attention_heads", "num_hidden_layers",   "original_max_position_embeddings",
    "rope_parameters",     "rope_scaling",        "rotary_emb_base",
    "rotary_pct",          "tie_word_embeddings", "use_parallel_residual",
    "vocab_size"};
constexpr std::string_view kHarmless[] = {"attention_probs_dropout_prob", "classifier_dropout",
                                          "hidden_dropout", "hidden_dropout_prob"};
// transformers reads neither.
constexpr UnsupportedKey kUnsupported[] = {{"head_dim", "null"}, {"num_key_value_heads", "null"}};
// Masks that older versions of transformers saved with the weights.
constexpr std::string_view kBuffers[] = {".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"};

}  // namespace

Family gpt_neox_family() {
  return {.model_type = "gpt_neox",
          .title = "GPT-NeoX, Pythia",
          .spec = gpt_neox_spec,
          .names = kNames,
          .prefixes = kPrefixes,
          .rope = kRope,
          .read = kRead,
          .harmless = kHarmless,
          .unsupported = kUnsupported,
          .buffers = kBuffers};
}

}  // namespace hrt
