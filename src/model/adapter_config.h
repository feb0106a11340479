#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/text/regex.h"

namespace hrt {

// adapter_config.json of a PEFT LoRA adapter: which modules it is for, and with which rank and scale. A
// module is named as in transformers ("model.layers.0.self_attn.q_proj"). The rules are peft's
// (tuners_utils.py check_target_module_exists, utils/other.py get_pattern_key, tuners/lora/layer.py
// update_layer).
class AdapterConfig {
 public:
  // Throws InputError with file and place: another kind of adapter, something that hrt does not merge, a
  // broken value.
  explicit AdapterConfig(const std::filesystem::path& file);

  // `head`: the module is the output embedding, which "all-linear" leaves out.
  bool targets(const std::string& module, bool head) const;
  std::int64_t rank(const std::string& module) const;
  // alpha / rank; with use_rslora alpha / sqrt(rank).
  double scale(const std::string& module) const;
  const std::string& base_model() const { return base_model_; }  // as it was trained on; may be empty

 private:
  struct AllLinear {};
  using Names = std::vector<std::string>;
  using Target = std::variant<AllLinear, Regex, Names>;
  using Pattern = std::pair<Regex, double>;

  static Target read_target(const JsonObject& config, std::string_view key);
  static std::vector<Pattern> read_patterns(const JsonObject& config, std::string_view key);
  void read_layers(const JsonObject& config);
  bool is_of_layer(const std::string& module) const;

  std::string base_model_;
  std::optional<Target> target_;
  std::optional<Target> excluded_;
  std::optional<Names> layers_;  // their numbers; nothing: all
  std::vector<Regex> layer_of_;  // the first that matches a module captures its layer
  std::int64_t rank_ = 0;
  double alpha_ = 0;
  bool rank_stabilised_ = false;
  std::vector<Pattern> ranks_;
  std::vector<Pattern> alphas_;
};

}  // namespace hrt
