#include "tokenizer_config.h"

namespace hrt {

TokenizerConfig::TokenizerConfig(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "tokenizer_config.json";
  origin_ = file.string();
  exists_ = std::filesystem::exists(file);
  if (exists_) json_ = read_json(file);
}

std::optional<std::string> TokenizerConfig::token(const std::string& key) const {
  const JsonObject config = values();
  const Json* value = config.find(key);
  if (value == nullptr) return std::nullopt;
  return value->is_object() ? config.object(key).string("content") : config.string(key);
}

}  // namespace hrt
