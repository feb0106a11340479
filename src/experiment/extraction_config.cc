#include "hrt/experiment/extraction_config.h"

#include <set>

#include "hrt/experiment/config.h"

namespace hrt {

Json extraction_config(const Json& config) {
  static const std::set<std::string> kOwn{"harmful", "harmless", "prompts", "limit",
                                          "field",   "layers",   "out",     "store"};
  Json extraction = Json::object();
  for (const KeySpec& key : keys_of(Command::kExtract)) {
    const bool common = config.contains(key.name) && !kOwn.contains(key.name);
    extraction[key.name] = common ? config.at(key.name) : key.fallback;
  }
  for (const auto& [name, value] : config.at("extract").items()) extraction[name] = value;
  apply_sizes(extraction, Command::kExtract);
  return extraction;
}

Json own_extraction(const Json& config, const Json& changes) {
  Json extraction = Json::object();
  for (const KeySpec& key : keys_of(Command::kExtract)) {
    const bool common = config.contains(key.name) && key.name != "out";
    extraction[key.name] = common ? config.at(key.name) : key.fallback;
  }
  for (const auto& [name, value] : changes.items()) extraction[name] = value;
  return extraction;
}

}  // namespace hrt
