#include "inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "hrt/base/strings.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

class Keeper {
 public:
  Keeper(const Catalog& catalog, std::set<std::string>& files, Inputs& inputs)
      : catalog_(catalog), files_(files), inputs_(inputs) {}

  void keep_sources(Json& config) {
    for (const char* key : {"harmful", "harmless", "prompts", "side_prompts"}) {
      if (config.contains(key) && config.at(key).is_array() && !config.at(key).empty())
        keep_list(config.at(key), key);
    }
  }

  void check_models(const Json& config) {
    for (const Json& variant : config.value("variants", Json::array())) {
      if (!variant.contains("model")) continue;
      const std::string name = variant.at("model");
      const fs::path folder = catalog_.model_named(name).value_or(name);
      if (!fs::is_directory(folder)) refuse(fmt::format("no model {} in the catalog", name));
    }
  }

 private:
  void keep_list(Json& sources, const std::string& key) {
    Json kept = Json::array();
    std::vector<std::string> reasons;
    for (const Json& source : sources) {
      const std::string reason = why_missing(source);
      if (reason.empty())
        kept.push_back(source);
      else
        reasons.push_back(reason);
    }
    // Without what it is about an experiment is another one; side prompts are beside it.
    if (kept.empty() && key != "side_prompts") refuse(join(reasons, "; "));
    inputs_.left_out.insert(inputs_.left_out.end(), reasons.begin(), reasons.end());
    sources = kept;
  }

  std::string why_missing(const Json& source) {
    if (!source.is_object() || !source.contains("role")) return "";
    const std::string role = source.at("role");
    if (!catalog_.has_role(role)) return fmt::format("the catalog has no role {}", role);
    std::vector<std::string> missing;
    for (const PromptSource& part : catalog_.sources(role)) {
      if (fs::exists(part.file)) continue;
      files_.insert(part.file.string());
      const std::string name = part.file.filename().string();
      if (std::ranges::find(missing, name) == missing.end()) missing.push_back(name);
    }
    return missing.empty() ? "" : fmt::format("{}: {} not there", role, join(missing, ", "));
  }

  void refuse(const std::string& reason) {
    if (inputs_.missing.empty()) inputs_.missing = reason;
  }

  const Catalog& catalog_;
  std::set<std::string>& files_;
  Inputs& inputs_;
};

}  // namespace

Inputs keep_what_is_there(Json& config, const Catalog& catalog, std::set<std::string>& files) {
  Inputs inputs;
  Keeper keeper(catalog, files, inputs);
  keeper.keep_sources(config);
  if (config.contains("extract") && config.at("extract").is_object())
    keeper.keep_sources(config.at("extract"));
  keeper.check_models(config);
  return inputs;
}

}  // namespace hrt
