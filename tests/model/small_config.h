#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/model/families.h"

namespace hrt::test {

inline const Json kLlama = Json::parse(R"({
    "model_type": "llama", "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 3,
    "num_attention_heads": 4, "vocab_size": 80, "max_position_embeddings": 128})");

// The small Llama above with these keys.
inline Json with(std::string_view changes) {
  Json config = kLlama;
  config.update(Json::parse(changes));
  return config;
}

inline DecoderSpec spec_of(const Json& config) {
  const JsonObject object(config, "config.json");
  return family_of(object).spec(decoder_config(object));
}

inline DecoderSpec spec_with(std::string_view changes) { return spec_of(with(changes)); }

inline std::vector<std::string> unknown_with(std::string_view changes) {
  const Json config = with(changes);
  const JsonObject object(config, "config.json");
  return check_keys(family_of(object), object);
}

// The message with which the config with these keys is refused.
inline std::string refusal_of(std::string_view changes) {
  try {
    unknown_with(changes);
    spec_with(changes);
    return "nothing: it was taken";
  } catch (const InputError& error) {
    return error.what();
  }
}

struct BadConfig {
  const char* changes;
  const char* message;  // a part of it
};

}  // namespace hrt::test
