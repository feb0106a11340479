#include "hrt/model/families.h"

#include <algorithm>
#include <array>

#include "config_values.h"
#include "family_table.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "quantised.h"
#include "rope_config.h"

namespace hrt {
namespace {

using Keys = std::span<const std::string_view>;

constexpr std::string_view kReadEverywhere[] = {"model_type", "eos_token_id", "compression_config",
                                                "quantization_config"};

// Training, generation, provenance, and how transformers runs a model. `dtype`: the stored dtypes count.
constexpr std::string_view kHarmlessEverywhere[] = {
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_from_model_config",
    "_name_or_path",
    "architectures",
    "attention_dropout",
    "attn_implementation",
    "auto_map",
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
                                                     {"is_encoder_decoder", "false"},
                                                     {"partial_rotary_factor", "1.0"},
                                                     {"per_layer_config", "{}"}};

// What surrounds `text_config` in multimodal checkpoints, whose text part alone is used.
constexpr std::string_view kMultimodal[] = {"boi_token_index",     "eoi_token_index", "image_token_index",
                                            "mm_tokens_per_image", "text_config",     "vision_config"};
constexpr UnsupportedKey kMultimodalUnsupported[] = {{"tie_word_embeddings", "true"}};

bool contains(Keys keys, std::string_view key) { return std::ranges::find(keys, key) != keys.end(); }

bool is_known(const Family& family, const std::string& key) {
  return contains(kReadEverywhere, key) || contains(kHarmlessEverywhere, key) || contains(family.read, key) ||
         contains(family.harmless, key);
}

// Multimodal model_types, whose decoder is described by `text_config`.
bool is_multimodal(const JsonObject& config) { return config.string("model_type", "") == "gemma3"; }

void check_multimodal(const JsonObject& config, std::vector<std::string>& unknown) {
  for (const auto& [key, value] : config.raw().items()) {
    const bool known = contains(kReadEverywhere, key) || contains(kHarmlessEverywhere, key) ||
                       contains(kMultimodal, key) || is_unsupported(kMultimodalUnsupported, config, key) ||
                       is_unsupported(kUnsupportedEverywhere, config, key);
    if (!known) unknown.push_back(key);
  }
}

void check_decoder(const Family& family, const JsonObject& config, const std::string& prefix,
                   std::vector<std::string>& unknown) {
  for (const auto& [key, value] : config.raw().items()) {
    const bool known = is_known(family, key) || is_unsupported(family.unsupported, config, key) ||
                       is_unsupported(kUnsupportedEverywhere, config, key);
    if (!known) unknown.push_back(prefix + key);
  }
  for (const std::string& key : check_rope_keys(config, family.rope)) unknown.push_back(prefix + key);
}

}  // namespace

std::span<const Family> families() {
  // To add a family: a function in a file of its own (declared in family_table.h), its row here, and goldens
  // (tools/dev/make_tiny_checkpoints.py). See docs/adding-a-family.md.
  static const std::array kFamilies{
      cohere_family(),    gemma_family(),    gemma2_family(),    gemma3_text_family(), glm4_family(),
      gpt2_family(),      gpt_neox_family(), gpt_oss_family(),   granite_family(),     llama_family(),
      mistral_family(),   mixtral_family(),  olmo2_family(),     phi3_family(),        qwen2_family(),
      qwen2_moe_family(), qwen3_family(),    qwen3_moe_family(), smollm3_family(),     starcoder2_family(),
  };
  return kFamilies;
}

JsonObject decoder_config(const JsonObject& config) {
  return is_multimodal(config) ? config.object("text_config") : config;
}

const Family& family_of(const JsonObject& config) {
  const JsonObject decoder = decoder_config(config);
  const std::string type = decoder.string("model_type");
  std::vector<std::string> known;
  for (const Family& family : families()) {
    if (family.model_type == type) return family;
    known.emplace_back(family.model_type);
  }
  throw InputError("{}: hrt does not know \"{}\", only {}", decoder.where("model_type"),
                   escape_for_terminal(type), join(known, ", "));
}

std::vector<std::string> check_keys(const Family& family, const JsonObject& config) {
  refuse_quantised(config, family.quantisation);
  std::vector<std::string> unknown;
  if (is_multimodal(config)) {
    check_multimodal(config, unknown);
    refuse_quantised(decoder_config(config), family.quantisation);
    check_decoder(family, decoder_config(config), "text_config/", unknown);
  } else {
    check_decoder(family, config, "", unknown);
  }
  return unknown;
}

}  // namespace hrt
