#include "hrt/experiment/config.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "catalog_of.h"
#include "hrt/base/error.h"
#include "hrt/base/hub_cache.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/run_directory.h"
#include "run_flags.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

void merge(Json& config, const Json& layer) {
  for (const auto& [key, value] : layer.items()) {
    if (key != "$schema") config[key] = value;
  }
}

std::size_t list_index(const std::string& step, const Json& list, const Override& change) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (error != std::errc{} || end != step.data() + step.size() || index >= list.size()) {
    throw InputError("{}: {} is no index of a list of {}", change.origin, step, list.size());
  }
  return index;
}

void apply(Json& config, const Override& change) {
  Json* place = &config;
  for (const std::string& step : split(change.path, '.')) {
    if (place->is_array()) {
      place = &place->at(list_index(step, *place, change));
    } else if (place->is_object() || place->is_null()) {
      place = &(*place)[step];
    } else {
      throw InputError("{}: {} has nothing inside", change.origin, change.path);
    }
  }
  *place = change.value;
}

// A bare text for a key that holds a list, as its flag would take it.
Json as_list(const Override& change, Command command) {
  if (!change.value.is_string()) return change.value;
  for (const KeySpec& key : keys_of(command)) {
    if (key.name != change.path) continue;
    if (key.kind == KeyKind::kStrings) return split_list(change.value.get<std::string>());
    if (key.kind == KeyKind::kSources) return Json::array({change.value});
  }
  return change.value;
}

Json overridden(Json config, const std::vector<Override>& overrides, Command command) {
  for (const Override& change : overrides) {
    apply(config, {change.path, as_list(change, command), change.origin});
    check_config(config, command, change.origin);
  }
  return config;
}

// A catalog's sizes: keys for every command that has them, and, under a command's name, keys for that one.
Json sizes_for(const Catalog& catalog, Command command) {
  Json sizes = Json::object();
  const std::vector<KeySpec> keys = keys_of(command);
  for (const auto& [name, value] : catalog.sizes().items()) {
    const bool is_key = std::ranges::find(keys, name, &KeySpec::name) != keys.end();
    if (is_key && !command_by_name(name)) sizes[name] = value;
  }
  merge(sizes, catalog.sizes().value(command_name(command), Json::object()));
  return sizes;
}

// What a run that is made from another one may say otherwise.
constexpr std::array kRejudged{"judge", "verdicts", "pair", "category_directions"};

// The config of the run that another one is made from, as far as it is not about the folder it lies in.
Json config_of_run(const fs::path& run, Command command) {
  Json config = stored_config(read_manifest(run), run / "manifest.json", command);
  for (const KeySpec& key : keys_of(command)) {
    if (key.name == "out" || key.name == "from") config[key.name] = key.fallback;
  }
  return config;
}

// `--from RUN`: RUN's config below the file and the command line, which may say how its replies are judged,
// but not what was computed.
Json config_from_run(Command command, const std::string& run, const Json& content,
                     const std::vector<Override>& overrides) {
  const std::vector<KeySpec> keys = keys_of(command);
  const Json stored = config_of_run(run, command);
  const auto is_given = [&](const char* key) {
    return content.contains(key) ||
           std::ranges::any_of(overrides, [&](const Override& o) { return o.path == key; });
  };
  if (is_given("judge") && is_given("verdicts"))
    throw InputError("--judge and --verdicts exclude each other: replies are judged once");
  Json config = stored;
  if (is_given("judge")) config["verdicts"] = nullptr;
  merge(config, content);
  config = overridden(std::move(config), overrides, command);
  for (const KeySpec& key : keys) {
    if (!key.decides || std::ranges::find(kRejudged, key.name) != kRejudged.end()) continue;
    if (config.at(key.name) == stored.at(key.name)) continue;
    throw InputError("{} {} does not go with --from: {} was computed with {}", key.flag(),
                     to_line(config.at(key.name)), run, to_line(stored.at(key.name)));
  }
  return config;
}

fs::path existing(const char* flag, const fs::path& folder, const std::optional<Catalog>& catalog) {
  if (fs::is_directory(folder)) return folder;
  const bool hint = catalog && !catalog->hint().empty();
  throw InputError("{} {}: no such folder ({})", flag, folder.string(),
                   hint ? catalog->hint() : "ORG/NAME is looked for in the Hugging Face cache, too");
}

// One of the catalog's models by name, a folder, or ORG/NAME in the cache.
fs::path find_folder(const char* flag, const std::string& given, const std::optional<Catalog>& catalog) {
  if (const auto named = catalog ? catalog->model_named(given) : std::nullopt)
    return existing(flag, *named, catalog);
  if (!fs::is_directory(given) && is_hub_name(given)) return cached_model(given);
  return existing(flag, given, catalog);
}

}  // namespace

Json stored_config(const Json& manifest, const fs::path& file, Command command) {
  const Json& stored = JsonObject(manifest, file.string()).object("config").raw();
  Json config = Json::object();
  for (const KeySpec& key : keys_of(command)) config[key.name] = stored.value(key.name, key.fallback);
  check_config(config, command, file.string() + ", /config");
  return config;
}

std::optional<Catalog> catalog_of(const Json& config) {
  const auto file = optional_value<std::string>(config, "data");
  if (!file) return std::nullopt;
  return Catalog(*file, optional_value<std::string>(config, "data_root"));
}

Override parse_set(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) throw InputError("--set {}: expected KEY=VALUE", text);
  const std::string value = text.substr(equals + 1);
  Json parsed = Json::parse(value, nullptr, false);
  if (parsed.is_discarded()) parsed = value;
  return {text.substr(0, equals), std::move(parsed), "--set " + text};
}

Json parse_arguments(const std::string& flag, const std::vector<std::string>& texts) {
  Json arguments = Json::object();
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos)
      throw InputError("{0} {1}: expected two things joined by =, see {0} in --help", flag, text);
    arguments[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return arguments;
}

void apply_sizes(Json& config, Command command) {
  if (const auto catalog = catalog_of(config)) merge(config, sizes_for(*catalog, command));
}

Json resolve_config(Command command, const std::optional<fs::path>& file,
                    const std::vector<Override>& overrides) {
  Json config = Json::object();
  for (const KeySpec& key : keys_of(command)) config[key.name] = key.fallback;
  Json content = Json::object();
  if (file) content = read_json(*file, 10'000'000);
  if (file) check_config(content, command, file->string());
  merge(config, content);
  // Which catalog or run it is may come from the command line, but what these say stands below the command
  // line.
  const Json preview = overridden(config, overrides, command);
  if (preview.contains("from")) {  // the command judges replies
    if (const auto run = optional_value<std::string>(preview, "from"))
      return config_from_run(command, *run, content, overrides);
    if (!preview.at("verdicts").is_null())
      throw InputError("--verdicts needs --from RUN, the run whose replies it is about");
  }
  if (const auto catalog = catalog_of(preview)) merge(config, sizes_for(*catalog, command));
  config = overridden(std::move(config), overrides, command);
  check_flags_beside_runs(command, config, overrides);
  return config;
}

fs::path resolve_model(const Json& config) {
  const auto catalog = catalog_of(config);
  if (const auto given = optional_value<std::string>(config, "model"))
    return find_folder("--model", *given, catalog);
  const auto own = catalog ? catalog->model() : std::nullopt;
  if (!own) throw InputError("no model: give --model DIR");
  return existing("--model", *own, catalog);
}

std::optional<fs::path> resolve_adapter(const Json& config) {
  const auto given = optional_value<std::string>(config, "adapter");
  if (!given) return std::nullopt;
  return find_folder("--adapter", *given, catalog_of(config));
}

}  // namespace hrt
