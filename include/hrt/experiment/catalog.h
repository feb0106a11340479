#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/data/prompt_file.h"

namespace hrt {

// Maps roles (harmful_train, refused_harmless, ...) to prompt files, so that one config runs on any data.
// Format: docs/formats.md.
class Catalog {
 public:
  // `root`: folder of relative paths; default: the catalog's own. Throws InputError.
  Catalog(const std::filesystem::path& file, const std::optional<std::filesystem::path>& root);

  // The files of one role. Throws InputError with the roles there are.
  std::vector<PromptSource> sources(const std::string& role) const;
  // The checkpoint that belongs to these data, if the catalog names one.
  std::optional<std::filesystem::path> model() const;
  // Another checkpoint that an experiment needs (a fine-tune), if the catalog has one of this name.
  std::optional<std::filesystem::path> model_named(const std::string& name) const;
  const std::filesystem::path& file() const { return file_; }
  std::string name() const;         // the file's stem where it has none
  std::string description() const;  // may be empty
  bool has_role(const std::string& role) const;
  // Claims of experiments that these data's model is known to miss, with the reason: "fig9.v_h_less_alike".
  std::map<std::string, std::string> missed() const;
  // Config keys that suit these data, for all commands or under a command's name; they replace the config's
  // own.
  const Json& sizes() const { return sizes_; }
  // Where missing files are had, in one sentence; may be empty.
  const std::string& hint() const { return hint_; }

 private:
  std::filesystem::path path_of(const Json& entry, const std::string& where) const;
  PromptSource source_of(const Json& entry, const std::string& where) const;

  std::filesystem::path file_;
  std::filesystem::path root_;
  Json content_;
  Json sizes_ = Json::object();
  std::string hint_;
};

}  // namespace hrt
