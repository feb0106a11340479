#include "run_flags.h"

#include <algorithm>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/run_directory.h"

namespace hrt {
namespace {

// Keys of an extraction that a command on complete runs reads, too, or that say where and how fast.
std::set<std::string> keys_in_use(const Json& config) {
  std::set<std::string> keys{"data", "data_root", "harmful",    "harmless",  "prompts",
                             "seed", "device",    "batch_size", "group_size"};
  if (config.value("analysis", Json()) == "linear") keys.insert("positions");
  if (!config.value("ask", Json::object()).empty()) keys.insert({"dtype", "full_hash"});
  return keys;
}

const KeySpec* key_of_extraction(const std::string& path) {
  static const std::vector<KeySpec> kKeys = keys_of(Command::kExtract);
  const auto found = std::ranges::find(kKeys, path.substr(0, path.find('.')), &KeySpec::name);
  return found == kKeys.end() || !found->decides ? nullptr : &*found;
}

void check_beside_run(const Override& given, const std::string& key, const Json& value,
                      const std::string& run) {
  const Json manifest = read_manifest(run);
  const Json stored = JsonObject(manifest, run + "/manifest.json").object("config").raw().value(key, Json());
  if (stored == value) return;
  throw InputError("{} does not go with {}, which was computed {}", given.origin, run,
                   stored.is_null() ? "without" : "with " + to_line(stored));
}

}  // namespace

void check_flags_beside_runs(Command command, const Json& config, const std::vector<Override>& overrides) {
  const std::vector<KeySpec> keys = keys_of(command);
  if (std::ranges::find(keys, "runs", &KeySpec::name) == keys.end()) return;
  const bool tensors = !config.value("tensors", Json()).is_null();
  const std::set<std::string> in_use = keys_in_use(config);
  for (const Override& given : overrides) {
    const KeySpec* key = key_of_extraction(given.path);
    if (key == nullptr || in_use.contains(key->name)) continue;
    if (tensors) throw InputError("{} does not go with /tensors, which are computed already", given.origin);
    for (const Json& run : config.at("runs")) check_beside_run(given, key->name, config.at(key->name), run);
  }
}

}  // namespace hrt
