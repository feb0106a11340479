#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {

// A Hugging Face checkpoint folder, understood but not loaded: config.json, generation_config.json and the
// tensor headers. Opening reads no weights. Throws InputError (unknown model_type or RoPE kind, an unsupported
// key that is not neutral, a missing tensor, a wrong shape, ...).
class Checkpoint {
 public:
  struct Options {
    bool strict_config = false;  // a config key in no list is an error, not a warning
  };
  explicit Checkpoint(const std::filesystem::path& folder) : Checkpoint(folder, Options{}) {}
  Checkpoint(const std::filesystem::path& folder, Options options);

  const std::filesystem::path& folder() const { return folder_; }
  const DecoderSpec& spec() const { return spec_; }
  const Json& config() const { return config_; }
  const WeightFiles& weights() const { return *weights_; }
  std::int64_t parameters() const;                       // count, tied head once
  at::ScalarType stored_dtype() const;                   // of most parameters
  const std::vector<std::int64_t>& stop_tokens() const { return stop_tokens_; }  // generation_config and config
  const std::vector<std::string>& unknown_keys() const { return unknown_keys_; }
  // Prompt and new tokens may be at most this long together (rope `dynamic`: times its factor).
  std::int64_t max_tokens() const;

  // Hash of config, tokenizer files, tensor headers and samples of each tensor (`full`: all of each tensor).
  std::string fingerprint(bool full = false) const;

 private:
  std::filesystem::path folder_;
  Json config_;
  DecoderSpec spec_;
  std::optional<WeightFiles> weights_;
  std::vector<std::int64_t> stop_tokens_;
  std::vector<std::string> unknown_keys_;
};

}  // namespace hrt
