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

// To add a family: a function in a file of its own (declared in family_specs.h), its keys and its row here,
// and goldens (tools/dev/make_tiny_checkpoints.py).

template <std::size_t A, std::size_t B>
constexpr std::array<std::string_view, A + B> concatenate(const std::string_view (&a)[A],
                                                          const std::string_view (&b)[B]) {
  std::array<std::string_view, A + B> both;
  std::ranges::copy(b, std::ranges::copy(a, both.begin()).out);
  return both;
}

constexpr std::string_view kReadEverywhere[] = {"model_type", "eos_token_id", "quantization_config"};

// Training, generation, provenance, and how transformers runs a model. `dtype`: the stored dtypes count.
constexpr std::string_view kHarmlessEverywhere[] = {
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_from_model_config",
    "_name_or_path",
    "architectures",
    "attention_dropout",
    "attn_implementation",
    "bos_token_id",
    "chunk_size_feed_forward",
    "dtype",
    "id2label",
    "initializer_range",
    "is_decoder",
    "label2id",
    "num_labels",
    "output_attentions",
    "output_hidden_states",
    "pad_token_id",
    "problem_type",
    "return_dict",
    "tie_last_hidden_states",
    "tokenizer_class",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "unsloth_fixed",
    "unsloth_version",
    "use_bfloat16",
    "use_cache",
};

constexpr UnsupportedKey kUnsupportedEverywhere[] = {{"add_cross_attention", "false"},
                                                     {"compression_config", "null"},
                                                     {"is_encoder_decoder", "false"},
                                                     {"partial_rotary_factor", "1.0"},
                                                     {"per_layer_config", "{}"}};

// What the families in llama_family.cc have in common.
constexpr std::string_view kLlamaLike[] = {
    "head_dim",
    "hidden_act",
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "original_max_position_embeddings",
    "rms_norm_eps",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "tie_word_embeddings",
    "vocab_size",
};

constexpr auto kLlamaRead = concatenate(kLlamaLike, {"attention_bias", "mlp_bias"});
// pretraining_tp only splits matrix products. max_sequence_length: Llama 1, not read by transformers.
// is_llama_config, rope_interleaved: SmolLM2.
constexpr std::string_view kLlamaHarmless[] = {"is_llama_config", "max_sequence_length", "pretraining_tp"};
constexpr UnsupportedKey kLlamaUnsupported[] = {
    {"layer_types", "null"}, {"rope_interleaved", "false"}, {"sliding_window", "null"}};

constexpr auto kMistralRead = concatenate(kLlamaLike, {"sliding_window"});
constexpr UnsupportedKey kMistralUnsupported[] = {
    {"attention_bias", "false"}, {"layer_types", "null"}, {"mlp_bias", "false"}};

constexpr auto kQwen2Read =
    concatenate(kLlamaLike, {"layer_types", "max_window_layers", "sliding_window", "use_sliding_window"});
// use_mrope: of the vision models, written false by some others.
constexpr UnsupportedKey kQwen2Unsupported[] = {{"mlp_bias", "false"}, {"use_mrope", "false"}};

// Tables of rotary angles that older versions of transformers saved with the weights.
constexpr std::string_view kRopeBuffers[] = {".rotary_emb.inv_freq"};

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
