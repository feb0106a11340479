#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/data/prompt_file.h"
#include "hrt/experiment/config_keys.h"

namespace hrt {

// A key given on the command line: by its flag, or by --set PATH=JSON.
struct Override {
  std::string path;  // "judge", "harmful.0.limit"
  Json value;
  std::string origin;  // "--judge", for messages
};

// Puts the layers together: defaults, the config file, the catalog's sizes, then the overrides in order.
// Every layer is checked against the table of keys. With `from`, the config of that run stands in the place
// of defaults and catalog, and only how replies are judged may differ. Where a command looks at complete runs,
// overrides that would only matter to an extraction are refused. Reads no other file than these.
Json resolve_config(Command command, const std::optional<std::filesystem::path>& file,
                    const std::vector<Override>& overrides);

// The config that the `manifest` in `file` says a run of `command` had, checked. What the hrt that wrote it
// did not know yet has its default.
Json stored_config(const Json& manifest, const std::filesystem::path& file, Command command);

// Puts the sizes of the catalog that `config` names, if it names one, over its own.
void apply_sizes(Json& config, Command command);

// "PATH=JSON" of --set; what is no JSON is a string.
Override parse_set(const std::string& text);

// "KEY=VALUE" texts of a flag as an object of strings.
Json parse_arguments(const std::string& flag, const std::vector<std::string>& texts);

// The prompt sources of a resolved config, with roles looked up in the catalog and labels attached. Throws
// InputError listing all files that are missing at once.
std::vector<PromptSource> resolve_sources(const Json& config);

// The checkpoint folder: the key, else the catalog's. ORG/NAME is looked up in the local
// Hugging Face cache. Throws InputError when it is not there.
std::filesystem::path resolve_model(const Json& config);

// The adapter's folder, likewise; nothing without the key.
std::optional<std::filesystem::path> resolve_adapter(const Json& config);

// "all", "0,4..12:2" or a list of integers -> distinct numbers in [0, count), ascending. Throws InputError.
std::vector<std::int64_t> resolve_layers(const Json& layers, std::int64_t count);

// The value of a key that may be null.
template <typename T>
std::optional<T> optional_value(const Json& config, const std::string& key) {
  const Json& value = config.at(key);
  return value.is_null() ? std::nullopt : std::optional<T>(value.get<T>());
}

}  // namespace hrt
