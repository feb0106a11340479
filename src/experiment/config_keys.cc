#include "hrt/experiment/config_keys.h"

#include <algorithm>
#include <array>
#include <limits>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

// Counts of all kinds; larger ones would overflow where they are multiplied.
constexpr double kLargestCount = std::numeric_limits<std::int32_t>::max();

double largest_integer(const KeySpec& key) { return key.most.value_or(kLargestCount); }

bool has_command(const KeySpec& key, Command command) {
  return std::find(key.commands.begin(), key.commands.end(), command) != key.commands.end();
}

std::string expected(const KeySpec& key) {
  switch (key.kind) {
    case KeyKind::kString:
      return key.choices.empty() ? "a string" : fmt::format("one of {}", join(key.choices, ", "));
    case KeyKind::kInteger:
      return fmt::format("an integer of {} to {}", key.least, largest_integer(key));
    case KeyKind::kNumber:
      return key.most ? fmt::format("a number of {} to {}", key.least, *key.most)
                      : fmt::format("a number of at least {}", key.least);
    case KeyKind::kBoolean:
      return "true or false";
    case KeyKind::kStrings:
      return "a list of strings";
    case KeyKind::kLayers:
      return "\"all\", a string such as \"0,4..12:2\", or a list of integers";
    case KeyKind::kSources:
      return "a list of prompt files (\"FILE\", {\"file\": ...} or {\"role\": ...})";
    case KeyKind::kArguments:
      return "an object of strings";
    case KeyKind::kNumbers:
      return "a list of numbers";
    case KeyKind::kSweeps:
      return "a list of objects";
    case KeyKind::kExtract:
      return "an object";
    case KeyKind::kCondition:
      return "an object such as {\"rows\": \"8\", \"above\": 0}";
    case KeyKind::kTensors:
      return "an object";
    case KeyKind::kVariants:
      return "a list of objects";
    case KeyKind::kFields:
      return "an object of fields and values";
  }
  return "";
}

bool is_source(const Json& value) {
  const auto has = [&](const char* key) { return value.contains(key) && !value.at(key).is_null(); };
  return value.is_string() || (value.is_object() && has("file") != has("role"));
}

bool all_of(const Json& list, bool (*test)(const Json&)) {
  return list.is_array() && std::all_of(list.begin(), list.end(), test);
}

bool is_condition(const Json& value) {
  const auto has_number = [&](const char* name) {
    return value.contains(name) && value.at(name).is_number();
  };
  return value.is_object() && value.size() == 2 && value.contains("rows") &&
         has_number("above") != has_number("below");
}

bool is_valid(const KeySpec& key, const Json& value) {
  const auto is_string = [](const Json& item) { return item.is_string(); };
  const auto is_integer = [](const Json& item) { return item.is_number_integer(); };
  switch (key.kind) {
    case KeyKind::kString:
      return value.is_string() &&
             (key.choices.empty() ||
              std::ranges::find(key.choices, value.get<std::string>()) != key.choices.end());
    case KeyKind::kInteger:
      return value.is_number_integer() && value.get<double>() >= key.least &&
             value.get<double>() <= largest_integer(key);
    case KeyKind::kNumber:
      return value.is_number() && value.get<double>() >= key.least &&
             value.get<double>() <= key.most.value_or(std::numeric_limits<double>::max());
    case KeyKind::kBoolean:
      return value.is_boolean();
    case KeyKind::kStrings:
      return all_of(value, is_string);
    case KeyKind::kLayers:
      return value.is_string() || all_of(value, is_integer);
    case KeyKind::kSources:
      return all_of(value, is_source);
    case KeyKind::kArguments:
      return value.is_object() && std::all_of(value.begin(), value.end(), is_string);
    case KeyKind::kNumbers:
      return all_of(value, [](const Json& item) { return item.is_number(); });
    case KeyKind::kSweeps:
      return all_of(value, [](const Json& item) { return item.is_object(); });
    case KeyKind::kVariants:
      return all_of(value, [](const Json& item) { return item.is_object(); });
    case KeyKind::kExtract:
    case KeyKind::kTensors:
    case KeyKind::kFields:
      return value.is_object();
    case KeyKind::kCondition:
      return is_condition(value);
  }
  return false;
}

// An extraction within another run: how runs are written is not its business.
std::vector<KeySpec> extraction_keys() {
  std::vector<KeySpec> keys = keys_of(Command::kExtract);
  std::erase_if(keys, [](const KeySpec& key) { return key.group == "Run"; });
  return keys;
}

// One of several extractions that are compared: what it does otherwise than the config says.
std::vector<KeySpec> variant_keys() {
  std::vector<KeySpec> keys = extraction_keys();
  KeySpec name;
  name.name = "name";
  name.help = "what tables call it";
  keys.insert(keys.begin(), name);
  return keys;
}

Json schema_of(const KeySpec& key) {
  const Json string{{"type", "string"}};
  const Json strings{{"type", "array"}, {"items", string}};
  switch (key.kind) {
    case KeyKind::kString:
      return key.choices.empty() ? string : Json{{"enum", key.choices}};
    case KeyKind::kInteger:
      return {{"type", "integer"}, {"minimum", key.least}, {"maximum", largest_integer(key)}};
    case KeyKind::kNumber:
      return key.most ? Json{{"type", "number"}, {"minimum", key.least}, {"maximum", *key.most}}
                      : Json{{"type", "number"}, {"minimum", key.least}};
    case KeyKind::kBoolean:
      return {{"type", "boolean"}};
    case KeyKind::kStrings:
      return strings;
    case KeyKind::kLayers:
      return {{"anyOf", {string, {{"type", "array"}, {"items", {{"type", "integer"}, {"minimum", 0}}}}}}};
    case KeyKind::kSources:
      return {{"type", "array"}, {"items", {{"$ref", "#/definitions/source"}}}};
    case KeyKind::kArguments:
      return {{"type", "object"}, {"additionalProperties", string}};
    case KeyKind::kNumbers:
      return {{"type", "array"}, {"items", {{"type", "number"}}}};
    case KeyKind::kSweeps:
      return {
          {"type", "array"},
          {"items", {{"$ref", key.name == "also" ? "#/definitions/intervention" : "#/definitions/sweep"}}}};
    case KeyKind::kExtract:
      return {{"$ref", "#/definitions/extract"}};
    case KeyKind::kCondition:
      return {{"type", "object"}, {"required", {"rows"}}, {"maxProperties", 2}};
    case KeyKind::kTensors:
    case KeyKind::kFields:
      return {{"type", "object"}};
    case KeyKind::kVariants:
      return {{"type", "array"}, {"items", {{"$ref", "#/definitions/variant"}}}};
  }
  return {};
}

// Keys without a default may be null, as --print-config writes them.
Json object_schema(const std::vector<KeySpec>& keys) {
  Json properties = Json::object();
  for (const KeySpec& key : keys) {
    Json property = schema_of(key);
    if (key.fallback.is_null()) property = {{"anyOf", {property, {{"type", "null"}}}}};
    property["description"] = key.help;
    if (properties.contains(key.name))  // another command's key of this name
      property["description"] = properties[key.name].at("description").get<std::string>() + "; " + key.help;
    if (!key.fallback.is_null()) property["default"] = key.fallback;
    properties[key.name] = property;
  }
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

Json source_schema() { return {{"anyOf", {{{"type", "string"}}, object_schema(source_keys())}}}; }

void check_inside(const KeySpec& key, const Json& value, const std::string& origin,
                  const std::string& pointer);

// What was typed names the place by itself: the key's flag, or a word of the command line ("ANALYSIS").
std::string place_of(const KeySpec& key, const std::string& origin, const std::string& pointer) {
  const bool word = std::ranges::all_of(origin, [](char c) { return c >= 'A' && c <= 'Z'; });
  return origin == key.flag() || word ? origin : fmt::format("{}: {}/{}", origin, pointer, key.name);
}

void check_keys(const Json& object, const std::vector<KeySpec>& keys, const std::string& what,
                const std::string& origin, const std::string& pointer) {
  if (!object.is_object())
    throw InputError("{}: {}must be an object, found {}", origin, pointer.empty() ? "" : pointer + " ",
                     object.type_name());
  std::vector<std::string> names;
  for (const KeySpec& key : keys) names.push_back(key.name);
  for (const auto& [name, value] : object.items()) {
    if (name == "$schema" && pointer.empty()) continue;
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&, n = name](const KeySpec& k) { return k.name == n; });
    if (key == keys.end()) {
      throw InputError("{}: {}/{} is no key of {}{}", origin, pointer, escape_for_terminal(name), what,
                       did_you_mean(name, names));
    }
    if (value.is_null() && key->fallback.is_null()) continue;
    if (!is_valid(*key, value)) {
      throw InputError("{} must be {}, found {}", place_of(*key, origin, pointer), expected(*key),
                       to_line(value));
    }
    check_inside(*key, value, origin, pointer + "/" + name);
  }
}

// What the objects in a key's list are, and their keys.
struct ListedObjects {
  const char* what;
  std::vector<KeySpec> keys;
};

std::optional<ListedObjects> objects_in(const KeySpec& key) {
  switch (key.kind) {
    case KeyKind::kSources:
      return {{"a prompt source", source_keys()}};
    case KeyKind::kVariants:
      return {{"a variant", variant_keys()}};
    case KeyKind::kSweeps:
      if (key.name == "also") return {{"an intervention", intervention_keys()}};
      return {{"a sweep", sweep_keys()}};
    default:
      return std::nullopt;
  }
}

// Objects in a key's value have keys of their own.
void check_inside(const KeySpec& key, const Json& value, const std::string& origin,
                  const std::string& pointer) {
  if (key.kind == KeyKind::kExtract) check_keys(value, extraction_keys(), "an extraction", origin, pointer);
  const auto objects = objects_in(key);
  for (std::size_t i = 0; objects && i < value.size(); ++i) {
    if (value[i].is_object())
      check_keys(value[i], objects->keys, objects->what, origin, fmt::format("{}/{}", pointer, i));
  }
}

constexpr std::array kCommands{Command::kExtract,  Command::kSteer,     Command::kSelect,    Command::kProbe,
                               Command::kGuardFit, Command::kGuardEval, Command::kGuardScore};

bool is_key_of(Command command, const std::string& name) {
  return std::ranges::any_of(
      all_keys(), [&](const KeySpec& key) { return key.name == name && has_command(key, command); });
}

// " (its keys are those of `hrt guard eval`)": the commands that know all keys of a config.
std::string whose_config(const Json& config) {
  std::vector<std::string> names;
  for (const Command command : kCommands) {
    const bool all = std::ranges::all_of(config.items(), [&](const auto& item) {
      return item.key() == "$schema" || is_key_of(command, item.key());
    });
    if (all) names.push_back(fmt::format("`hrt {}`", command_name(command)));
  }
  return names.empty() ? "" : fmt::format(" (a config of {})", join(names, ", "));
}

// What a catalog may say of its data: not which model, data or run it is.
std::vector<KeySpec> sizes_of(std::vector<KeySpec> keys) {
  std::erase_if(keys, [](const KeySpec& key) {
    return key.group == "Model" || key.group == "Runs" || key.group == "Run" || key.name == "data" ||
           key.name == "data_root";
  });
  return keys;
}

// A key that only other commands have: the config is probably one of theirs.
void refuse_key_of_others(const Json& config, Command command, const std::string& origin) {
  if (!config.is_object()) return;
  for (const auto& [name, value] : config.items()) {
    const bool known = std::ranges::find(all_keys(), name, &KeySpec::name) != all_keys().end();
    if (!known || is_key_of(command, name)) continue;
    throw InputError("{}: /{} is no key of `hrt {}`{}", origin, name, command_name(command),
                     whose_config(config));
  }
}

}  // namespace

std::string_view command_name(Command command) {
  switch (command) {
    case Command::kExtract:
      return "extract";
    case Command::kSteer:
      return "steer";
    case Command::kSelect:
      return "steer select";
    case Command::kProbe:
      return "probe";
    case Command::kGuardFit:
      return "guard fit";
    case Command::kGuardEval:
      return "guard eval";
    case Command::kGuardScore:
      return "guard score";
  }
  return "";
}

std::optional<Command> command_by_name(std::string_view name) {
  const auto* found = std::ranges::find(kCommands, name, &command_name);
  return found == kCommands.end() ? std::nullopt : std::optional(*found);
}

std::string KeySpec::flag() const {
  std::string result = "--" + name;
  std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

std::vector<KeySpec> keys_of(Command command) {
  std::vector<KeySpec> keys;
  for (const KeySpec& key : all_keys()) {
    if (has_command(key, command)) keys.push_back(key);
  }
  return keys;
}

void check_config(const Json& config, Command command, const std::string& origin) {
  refuse_key_of_others(config, command, origin);
  check_keys(config, keys_of(command), fmt::format("`hrt {}`", command_name(command)), origin, "");
}

void check_sizes(const Json& sizes, const std::string& origin) {
  Json common = Json::object();
  for (const auto& [name, value] : sizes.items()) {
    if (const auto command = command_by_name(name)) {
      check_keys(value, sizes_of(keys_of(*command)), fmt::format("`hrt {}` that a catalog may set", name),
                 origin, "/sizes/" + name);
    } else {
      common[name] = value;
    }
  }
  check_keys(common, sizes_of(all_keys()), "any command that a catalog may set", origin, "/sizes");
}

Json config_schema() {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "hrt config"}};
  schema.update(object_schema(all_keys()));
  schema["properties"]["$schema"] = {{"type", "string"}};
  schema["definitions"] = {{"source", source_schema()},
                           {"sweep", object_schema(sweep_keys())},
                           {"intervention", object_schema(intervention_keys())},
                           {"extract", object_schema(extraction_keys())},
                           {"variant", object_schema(variant_keys())}};
  return schema;
}

}  // namespace hrt
