// GPT-2: learned positions, layer norms, a plain MLP, linear maps stored [in, out].

#include "common_spec.h"
#include "config_values.h"
#include "family_parts.h"
#include "family_table.h"
#include "hrt/base/error.h"

namespace hrt {
namespace {

constexpr std::string_view kQkv[] = {"attn.c_attn"};
constexpr std::string_view kUp[] = {"mlp.c_fc"};
constexpr NameTable kNames{.embedding = "wte",
                           .positions = "wpe",
                           .final_norm = "ln_f",
                           .layers = "h",
                           .attention_norm = "ln_1",
                           .qkv = kQkv,
                           .o = "attn.c_proj",
                           .mlp_norm = "ln_2",
                           .gate_up = kUp,
                           .down = "mlp.c_proj"};
// As transformers saves it, and as published.
constexpr WeightPrefix kPrefixes[] = {{"transformer.", ""}, {"", ""}};

void read_sizes(const JsonObject& config, DecoderSpec& spec) {
  spec.layers = read_size(config, "n_layer", kMaxLayers, 12);
  spec.hidden = read_size(config, "n_embd", kMaxWidth, 768);
  spec.intermediate = read_size(config, "n_inner", kMaxWidth, 4 * spec.hidden);
  spec.heads = spec.kv_heads = read_size(config, "n_head", kMaxWidth, 12);
  if (spec.hidden % spec.heads != 0) {
    throw InputError("{} is {}, expected a multiple of n_head, {}", config.where("n_embd"), spec.hidden,
                     spec.heads);
  }
  spec.head_dim = spec.hidden / spec.heads;
  spec.vocabulary = read_size(config, "vocab_size", kMaxWidth, 50257);
  spec.max_positions = read_size(config, "n_positions", kMaxWidth, 1024);
}

DecoderSpec gpt2_spec(const JsonObject& config) {
  DecoderSpec spec;
  spec.family = config.string("model_type");
  read_sizes(config, spec);
  spec.norm = NormKind::kLayer;
  spec.norm_bias = true;
  spec.norm_eps = config.has("layer_norm_epsilon") ? read_number(config, "layer_norm_epsilon", 0, 1) : 1e-5;
  spec.activation = read_activation(config, "activation_function", "gelu_new");
  spec.tied_head = config.boolean("tie_word_embeddings", true);
  spec.gated = false;
  spec.qkv_bias = spec.output_bias = spec.mlp_bias = true;
  spec.learned_positions = true;
  spec.linear_in_out = true;
  spec.window.assign(static_cast<std::size_t>(spec.layers), 0);
  spec.rotation.assign(static_cast<std::size_t>(spec.layers), Rotation::kNone);
  return spec;
}

constexpr std::string_view kRead[] = {
    "activation_function", "layer_norm_epsilon",  "n_embd",    "n_head", "n_inner", "n_layer",
    "n_positions",         "tie_word_embeddings", "vocab_size"};
// reorder_and_upcast_attn only changes the order of operations. n_ctx: n_positions once more.
constexpr std::string_view kHarmless[] = {"attn_pdrop",
                                          "embd_pdrop",
                                          "n_ctx",
                                          "n_special",
                                          "predict_special_tokens",
                                          "reorder_and_upcast_attn",
                                          "resid_pdrop",
                                          "summary_activation",
                                          "summary_first_dropout",
                                          "summary_proj_to_labels",
                                          "summary_type",
                                          "summary_use_proj",
                                          "task_specific_params"};
constexpr UnsupportedKey kUnsupported[] = {{"scale_attn_by_inverse_layer_idx", "false"},
                                           {"scale_attn_weights", "true"}};
constexpr std::string_view kBuffers[] = {".attn.bias", ".attn.masked_bias"};  // masks

}  // namespace

Family gpt2_family() {
  return {.model_type = "gpt2",
          .title = "GPT-2",
          .spec = gpt2_spec,
          .names = kNames,
          .prefixes = kPrefixes,
          .rope = {},
          .read = kRead,
          .harmless = kHarmless,
          .unsupported = kUnsupported,
          .buffers = kBuffers};
}

}  // namespace hrt
