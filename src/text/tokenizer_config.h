#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "hrt/base/json.h"

namespace hrt {

// A folder's tokenizer_config.json; one without keys where there is no such file.
class TokenizerConfig {
 public:
  explicit TokenizerConfig(const std::filesystem::path& folder);

  bool exists() const { return exists_; }
  JsonObject values() const { return {json_, origin_}; }
  // A token such as bos_token is given as its text, or as an object with the text as `content`.
  std::optional<std::string> token(const std::string& key) const;

 private:
  std::string origin_;
  bool exists_ = false;
  Json json_ = Json::object();
};

}  // namespace hrt
