#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/model/adapter.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/model/families.h"
#include "hrt/tensor/weight_files.h"

namespace hrt {

// A Hugging Face checkpoint folder, understood but not loaded: config.json, generation_config.json and the
// tensor headers. Opening reads no weights, except to compare the head that a tied model may store with its
// embedding. Throws InputError (unknown model_type or RoPE kind, an unsupported key that is not neutral, a
// missing tensor, a wrong shape, ...). Immutable; safe to read from several threads.
class Checkpoint {
 public:
  struct Options {
    bool strict_config = false;  // a config key in no list is an error, not a warning
    std::optional<std::filesystem::path> adapter = {};  // a PEFT LoRA folder, added while loading
  };
  explicit Checkpoint(const std::filesystem::path& folder) : Checkpoint(folder, Options{}) {}
  Checkpoint(const std::filesystem::path& folder, const Options& options);

  const std::filesystem::path& folder() const { return folder_; }
  const DecoderSpec& spec() const { return spec_; }
  // Every tensor named here is in weights(), floating, in the shape that spec() implies. A tied head has the
  // embedding's name.
  const WeightNames& names() const { return names_; }
  const Json& config() const { return config_; }
  const WeightFiles& weights() const { return *weights_; }
  const std::optional<Adapter>& adapter() const { return adapter_; }
  std::int64_t parameters() const { return parameters_; }        // a tied head counts once
  at::ScalarType stored_dtype() const { return stored_dtype_; }  // of most parameters
  const std::vector<std::int64_t>& stop_tokens() const {
    return stop_tokens_;
  }  // generation_config and config
  const std::vector<std::string>& unknown_keys() const { return unknown_keys_; }
  const std::vector<std::string>& unused_tensors() const { return unused_tensors_; }
  // What deserves a warning, a line each.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // Prompt and new tokens may be at most this long together (rope `dynamic`: times its factor).
  std::int64_t max_tokens() const;

  // SHA-256 of config, tokenizer files, tensor headers and samples of each tensor (`full`: all of each
  // tensor), and of all of the adapter. The same weights in other pieces have the same fingerprint.
  std::string fingerprint(bool full = false) const;

 private:
  void open_weights(const Family& family);
  void warn(const std::string& line);  // unless it is empty

  std::filesystem::path folder_;
  Json config_;
  DecoderSpec spec_;
  WeightNames names_;
  std::optional<WeightFiles> weights_;
  std::optional<Adapter> adapter_;
  std::vector<std::int64_t> stop_tokens_;
  std::vector<std::string> unknown_keys_;
  std::vector<std::string> unused_tensors_;
  std::vector<std::string> warnings_;
  std::int64_t parameters_ = 0;
  at::ScalarType stored_dtype_ = at::kFloat;
};

}  // namespace hrt
