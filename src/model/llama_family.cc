// Llama and Mistral.

#include "common_spec.h"
#include "family_parts.h"
#include "family_table.h"

namespace hrt {
namespace {

constexpr RopeRules kRope;

DecoderSpec llama_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.max_positions = 2048}, kRope);
  read_attention_bias(config, spec);
  spec.mlp_bias = config.boolean("mlp_bias", false);
  return spec;
}

constexpr auto kLlamaRead = concatenate(kLlamaLikeKeys, {"attention_bias", "mlp_bias"});
// pretraining_tp only splits matrix products. max_sequence_length: Llama 1, not read by transformers.
// is_llama_config, rope_interleaved: SmolLM2.
constexpr std::string_view kLlamaHarmless[] = {"is_llama_config", "max_sequence_length", "pretraining_tp"};
constexpr UnsupportedKey kLlamaUnsupported[] = {
    {"layer_types", "null"}, {"rope_interleaved", "false"}, {"sliding_window", "null"}};

DecoderSpec mistral_spec(const JsonObject& config) {
  DecoderSpec spec = common_spec(config, {.kv_heads = 8, .max_positions = 131072}, kRope);
  spec.window.assign(spec.window.size(), read_window(config, 4096));
  return spec;
}

constexpr auto kMistralRead = concatenate(kLlamaLikeKeys, {"sliding_window"});
constexpr UnsupportedKey kMistralUnsupported[] = {
    {"attention_bias", "false"}, {"layer_types", "null"}, {"mlp_bias", "false"}};

}  // namespace

Family llama_family() {
  return {.model_type = "llama",
          .title = "Llama 1, 2, 3, 3.1 and models of their architecture",
          .spec = llama_spec,
          .names = kLlamaNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kLlamaRead,
          .harmless = kLlamaHarmless,
          .unsupported = kLlamaUnsupported,
          .buffers = kRopeBuffers};
}

Family mistral_family() {
  return {.model_type = "mistral",
          .title = "Mistral 7B, Mistral Nemo",
          .spec = mistral_spec,
          .names = kLlamaNames,
          .prefixes = kModelPrefix,
          .rope = kRope,
          .read = kMistralRead,
          .harmless = {},
          .unsupported = kMistralUnsupported,
          .buffers = kRopeBuffers};
}

}  // namespace hrt
