#include "hrt/model/families.h"

#include <algorithm>
#include <array>

#include "config_values.h"
#include "family_specs.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "rope_config.h"

namespace hrt {
namespace {

using Keys = std::span<const std::string_view>;

constexpr auto kReadEverywhere =
    std::to_array<std::string_view>({"model_type", "eos_token_id", "quantization_config"});

// Training, generation, provenance, and how transformers runs a model. `dtype`: the stored dtypes count.
constexpr auto kHarmlessEverywhere = std::to_array<std::string_view>({"_attn_implementation",
                                                                      "_attn_implementation_autoset",
                                                                      "_from_model_config",
                                                                      "_name_or_path",
                                                                      "architectures",
                                                                      "attention_dropout",
                                                                      "attn_implementation",
                                                                      "bos_token_id",
                                                                      "chunk_size_feed_forward",
                                                                      "dtype",
                                                                      "embd_pdrop",
                                                                      "hidden_dropout",
                                                                      "id2label",
                                                                      "initializer_range",
                                                                      "is_decoder",
                                                                      "label2id",
                                                                      "model_name",
                                                                      "num_labels",
                                                                      "output_attentions",
                                                                      "output_hidden_states",
                                                                      "output_past",
                                                                      "pad_token_id",
                                                                      "problem_type",
                                                                      "resid_pdrop",
                                                                      "return_dict",
                                                                      "tie_last_hidden_states",
                                                                      "tokenizer_class",
                                                                      "torch_dtype",
                                                                      "torchscript",
                                                                      "transformers_version",
                                                                      "use_bfloat16",
                                                                      "use_cache"});

constexpr std::array kUnsupportedEverywhere{
    UnsupportedKey{"add_cross_attention", "false"}, UnsupportedKey{"compression_config", "null"},
    UnsupportedKey{"is_encoder_decoder", "false"},  UnsupportedKey{"partial_rotary_factor", "1.0"},
    UnsupportedKey{"per_layer_config", "{}"},
};

constexpr auto kLlamaRead = std::to_array<std::string_view>(
    {"attention_bias", "head_dim", "hidden_act", "hidden_size", "intermediate_size",
     "max_position_embeddings", "mlp_bias", "num_attention_heads", "num_hidden_layers", "num_key_value_heads",
     "original_max_position_embeddings", "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta",
     "tie_word_embeddings", "vocab_size"});
// pretraining_tp: only splits matrix products. max_sequence_length: Llama 1, not read by transformers.
constexpr auto kLlamaHarmless = std::to_array<std::string_view>({"max_sequence_length", "pretraining_tp"});
constexpr std::array kLlamaUnsupported{
    UnsupportedKey{"layer_types", "null"},
    UnsupportedKey{"sliding_window", "null"},
};

constexpr auto kMistralRead = std::to_array<std::string_view>(
    {"head_dim", "hidden_act", "hidden_size", "intermediate_size", "max_position_embeddings",
     "num_attention_heads", "num_hidden_layers", "num_key_value_heads", "original_max_position_embeddings",
     "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta", "sliding_window", "tie_word_embeddings",
     "vocab_size"});
constexpr std::array kMistralUnsupported{
    UnsupportedKey{"attention_bias", "false"},
    UnsupportedKey{"layer_types", "null"},
    UnsupportedKey{"mlp_bias", "false"},
};

constexpr auto kQwen2Read = std::to_array<std::string_view>(
    {"head_dim", "hidden_act", "hidden_size", "intermediate_size", "layer_types", "max_position_embeddings",
     "max_window_layers", "num_attention_heads", "num_hidden_layers", "num_key_value_heads",
     "original_max_position_embeddings", "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta",
     "sliding_window", "tie_word_embeddings", "use_sliding_window", "vocab_size"});
// use_mrope: written false by some Qwen2.5 checkpoints; of the vision models only.
constexpr std::array kQwen2Unsupported{
    UnsupportedKey{"mlp_bias", "false"},
    UnsupportedKey{"use_mrope", "false"},
};

// Tables of rotary angles that older versions of transformers saved with the weights.
constexpr auto kRopeBuffers = std::to_array<std::string_view>({".rotary_emb.inv_freq"});

constexpr std::array kFamilies{
    Family{.model_type = "llama",
           .title = "Llama 1, 2, 3, 3.1 and models of their architecture",
           .spec = llama_spec,
           .names = llama_names,
           .read = kLlamaRead,
           .harmless = kLlamaHarmless,
           .unsupported = kLlamaUnsupported,
           .buffers = kRopeBuffers},
    Family{.model_type = "mistral",
           .title = "Mistral 7B, Mistral Nemo",
           .spec = mistral_spec,
           .names = llama_names,
           .read = kMistralRead,
           .harmless = {},
           .unsupported = kMistralUnsupported,
           .buffers = kRopeBuffers},
    Family{.model_type = "qwen2",
           .title = "Qwen 1.5, 2, 2.5",
           .spec = qwen2_spec,
           .names = llama_names,
           .read = kQwen2Read,
           .harmless = {},
           .unsupported = kQwen2Unsupported,
           .buffers = kRopeBuffers},
};

bool contains(Keys keys, std::string_view key) { return std::ranges::find(keys, key) != keys.end(); }

bool is_known(const Family& family, const std::string& key) {
  return contains(kReadEverywhere, key) || contains(kHarmlessEverywhere, key) || contains(family.read, key) ||
         contains(family.harmless, key);
}

void refuse_quantised(const JsonObject& config) {
  if (!config.has("quantization_config")) return;
  const std::string method = config.object("quantization_config").string("quant_method", "some method");
  throw InputError(
      "{}: the weights are quantised ({}), which hrt does not read; use the checkpoint that they were "
      "made from, in float32, bfloat16 or float16",
      config.where("quantization_config"), escape_for_terminal(method));
}

}  // namespace

std::span<const Family> families() { return kFamilies; }

const Family& family_of(const JsonObject& config) {
  const std::string type = config.string("model_type");
  std::vector<std::string> known;
  for (const Family& family : kFamilies) {
    if (family.model_type == type) return family;
    known.emplace_back(family.model_type);
  }
  throw InputError("{}: hrt does not know \"{}\", only {}", config.where("model_type"),
                   escape_for_terminal(type), join(known, ", "));
}

std::vector<std::string> check_keys(const Family& family, const JsonObject& config) {
  refuse_quantised(config);
  std::vector<std::string> unknown;
  for (const auto& [key, value] : config.raw().items()) {
    const bool known = is_known(family, key) || is_unsupported(family.unsupported, config, key) ||
                       is_unsupported(kUnsupportedEverywhere, config, key);
    if (!known) unknown.push_back(key);
  }
  for (std::string& key : check_rope_keys(config)) unknown.push_back(std::move(key));
  return unknown;
}

}  // namespace hrt
