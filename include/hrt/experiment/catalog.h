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
  // `root`: folder of relative paths; default: the catalog's own. Throws InputError "FILE: /roles/x/0/...":
  // unknown keys (with the nearest), wrong types, values out of range, whether or not they are used.
  Catalog(const std::filesystem::path& file, const std::optional<std::filesystem::path>& root);

  // The files of one role. Throws InputError with the roles there are.
  const std::vector<PromptSource>& sources(const std::string& role) const;
  // The checkpoint that belongs to these data, if the catalog names one.
  const std::optional<std::filesystem::path>& model() const { return model_; }
  // Another checkpoint that an experiment needs (a fine-tune), if the catalog has one of this name.
  std::optional<std::filesystem::path> model_named(const std::string& name) const;
  const std::filesystem::path& file() const { return file_; }
  const std::string& name() const { return name_; }                // the file's stem where it has none
  const std::string& description() const { return description_; }  // may be empty
  bool has_role(const std::string& role) const { return roles_.contains(role); }
  // Claims of experiments that these data's model is known to miss, with the reason: "fig9.v_h_less_alike".
  const std::map<std::string, std::string>& missed() const { return missed_; }
  // Config keys that suit these data, for all commands or under a command's name; they replace the config's
  // own.
  const Json& sizes() const { return sizes_; }
  // Where missing files are had, in one sentence; may be empty.
  const std::string& hint() const { return hint_; }

 private:
  std::filesystem::path path_of(const JsonObject& entry) const;
  std::filesystem::path model_of(const JsonObject& entry) const;
  PromptSource source_of(const JsonObject& entry) const;
  std::vector<PromptSource> sources_of(const JsonObject& roles, const std::string& role) const;

  std::filesystem::path file_;
  std::filesystem::path root_;
  std::string name_;
  std::string description_;
  std::string hint_;
  std::optional<std::filesystem::path> model_;
  std::map<std::string, std::filesystem::path> models_;
  std::map<std::string, std::vector<PromptSource>> roles_;
  std::map<std::string, std::string> missed_;
  Json sizes_ = Json::object();
};

}  // namespace hrt
