#include "hrt/experiment/config_keys.h"

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

std::vector<KeySpec> make_keys() {
  using K = KeyKind;
  const std::vector<Command> extract_only{Command::kExtract};
  std::vector<KeySpec> keys;
  keys.push_back({"model", K::kString, nullptr, "Model", "checkpoint folder in Hugging Face layout"});
  keys.push_back(
      {"data", K::kString, nullptr, "Prompts", "catalog: a JSON file that maps roles to prompt files"});
  keys.push_back({"data_root", K::kString, nullptr, "Prompts",
                  "folder of the catalog's relative paths (default: its own)"});
  keys.push_back({"harmful", K::kSources, Json::array(), "Prompts",
                  "prompt file whose prompts are harmful (repeatable)"});
  keys.push_back({"harmless", K::kSources, Json::array(), "Prompts",
                  "prompt file whose prompts are harmless (repeatable)"});
  keys.push_back({"prompts", K::kSources, Json::array(), "Prompts",
                  "prompt file with labels of its own, or none (repeatable)"});
  keys.push_back({"field", K::kString, "instruction", "Prompts",
                  "column that holds the instruction: goal, turns[0], a + b"});
  keys.push_back({"limit", K::kInteger, nullptr, "Prompts", "only the first N prompts of each file", {}, 1});
  keys.push_back({"template", K::kString, "auto", "Template", "chat template: auto, raw or a name"});
  keys.push_back({"template_arg", K::kArguments, Json::object(), "Template",
                  "what the template takes, KEY=VALUE (repeatable)"});
  keys.push_back({"system", K::kString, nullptr, "Template", "system text for prompts that bring none"});
  keys.push_back(
      {"bos", K::kString, "auto", "Template", "begin-of-sequence token", {"auto", "always", "never"}});
  keys.push_back(
      {"parse_special", K::kBoolean, false, "Template", "markers inside the text become special tokens"});
  keys.push_back({"post_instruction", K::kBoolean, true, "Template", "keep what follows the instruction"});
  keys.push_back({"straddle",
                  K::kString,
                  "error",
                  "Template",
                  "a token on both sides of the instruction's end",
                  {"error", "skip", "keep"}});
  keys.push_back({"positions",
                  K::kStrings,
                  {"t_inst", "t_post_inst"},
                  "What to compute",
                  "t_inst, t_post_inst, t_inst+K, -1, ...; spans: instruction, post_instruction, prompt",
                  {},
                  0,
                  true,
                  extract_only});
  keys.push_back({"missing",
                  K::kString,
                  "error",
                  "What to compute",
                  "a prompt that lacks an asked position",
                  {"error", "skip"},
                  0,
                  true,
                  extract_only});
  keys.push_back({"layers",
                  K::kLayers,
                  "all",
                  "What to compute",
                  "rows to store, 0..L: all, or a list such as 0,4..12:2",
                  {},
                  0,
                  true,
                  extract_only});
  keys.push_back({"logits",
                  K::kBoolean,
                  false,
                  "What to compute",
                  "store the logits at each prompt's last token",
                  {},
                  0,
                  true,
                  extract_only});
  keys.push_back({"outcomes",
                  K::kString,
                  "auto",
                  "What to compute",
                  "where refused or accepted comes from",
                  {"auto", "file", "generate", "none"},
                  0,
                  true,
                  extract_only});
  keys.push_back({"judge", K::kString, "zhao2025", "What to compute",
                  "refusal phrases: zhao2025, arditi2024, union or a file"});
  keys.push_back({"max_new_tokens", K::kInteger, 128, "What to compute", "longest reply, in tokens", {}, 1});
  keys.push_back({"pair",
                  K::kString,
                  "label",
                  "What to compute",
                  "what makes harmfulness pairs",
                  {"label", "outcome"},
                  0,
                  true,
                  extract_only});
  keys.push_back({"store",
                  K::kString,
                  "all",
                  "What to compute",
                  "what to keep",
                  {"all", "centroids"},
                  0,
                  true,
                  extract_only});
  keys.push_back({"verify", K::kNumber, 0.01, "What to compute",
                  "share of prompts computed again alone, at least 16; 0: none"});
  keys.push_back({"dtype",
                  K::kString,
                  "auto",
                  "Machine",
                  "auto is float32 on a CPU, bfloat16 on CUDA",
                  {"auto", "float32", "bfloat16", "float16"}});
  keys.push_back({"device", K::kString, "auto", "Machine", "auto, cpu, cuda, cuda:N"});
  keys.push_back({"batch_size",
                  K::kInteger,
                  nullptr,
                  "Machine",
                  "prompts in a batch (default: from the model's size)",
                  {},
                  1});
  keys.push_back({"group_size",
                  K::kInteger,
                  nullptr,
                  "Machine",
                  "prompts computed and saved together (default: from sizes)",
                  {},
                  1});
  keys.push_back({"seed", K::kInteger, 0, "What to compute", "seed of everything drawn at random"});
  keys.push_back({"threads",
                  K::kInteger,
                  nullptr,
                  "Machine",
                  "CPU threads (default: those the process may use)",
                  {},
                  1,
                  false});
  keys.push_back({"strict_config",
                  K::kBoolean,
                  false,
                  "Model",
                  "unknown keys in the checkpoint's config.json are errors",
                  {},
                  0,
                  false});
  keys.push_back({"full_hash", K::kBoolean, false, "Model", "fingerprint the model by all its bytes"});
  keys.push_back({"out", K::kString, nullptr, "Run", "run directory to write", {}, 0, false});
  return keys;
}

bool has_command(const KeySpec& key, Command command) {
  return std::find(key.commands.begin(), key.commands.end(), command) != key.commands.end();
}

std::string expected(const KeySpec& key) {
  switch (key.kind) {
    case KeyKind::kString:
      return key.choices.empty() ? "a string" : fmt::format("one of {}", join(key.choices, ", "));
    case KeyKind::kInteger:
      return fmt::format("an integer of at least {}", key.least);
    case KeyKind::kNumber:
      return fmt::format("a number of at least {}", key.least);
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
  }
  return "";
}

bool is_source(const Json& value) {
  return value.is_string() || (value.is_object() && (value.contains("file") || value.contains("role")));
}

bool all_of(const Json& list, bool (*test)(const Json&)) {
  return list.is_array() && std::all_of(list.begin(), list.end(), test);
}

bool is_valid(const KeySpec& key, const Json& value) {
  const auto is_string = [](const Json& item) { return item.is_string(); };
  const auto is_integer = [](const Json& item) { return item.is_number_integer(); };
  switch (key.kind) {
    case KeyKind::kString:
      return value.is_string() && (key.choices.empty() || std::find(key.choices.begin(), key.choices.end(),
                                                                    value) != key.choices.end());
    case KeyKind::kInteger:
      // A JSON integer beyond 63 bits would turn negative where it is used.
      return value.is_number_integer() && value.get<double>() >= key.least && value.get<double>() < 9e18;
    case KeyKind::kNumber:
      return value.is_number() && value.get<double>() >= key.least;
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
  }
  return false;
}

Json schema_of(const KeySpec& key) {
  const Json string{{"type", "string"}};
  const Json strings{{"type", "array"}, {"items", string}};
  switch (key.kind) {
    case KeyKind::kString:
      return key.choices.empty() ? string : Json{{"enum", key.choices}};
    case KeyKind::kInteger:
      return {{"type", "integer"}, {"minimum", key.least}};
    case KeyKind::kNumber:
      return {{"type", "number"}, {"minimum", key.least}};
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
  }
  return {};
}

Json source_schema() {
  const Json string{{"type", "string"}};
  const Json properties{
      {"role", {{"type", "string"}, {"description", "a role of the catalog"}}},
      {"file", {{"type", "string"}, {"description", "a prompt file"}}},
      {"field", string},
      {"where", {{"type", "object"}, {"description", "only prompts whose fields have these values"}}},
      {"limit", {{"type", "integer"}, {"minimum", 1}}}};
  const Json object{{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  return {{"anyOf", {string, object}}};
}

}  // namespace

std::string_view command_name(Command command) { return command == Command::kExtract ? "extract" : "steer"; }

std::string KeySpec::flag() const {
  std::string result = "--" + name;
  std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

const std::vector<KeySpec>& all_keys() {
  static const std::vector<KeySpec> keys = make_keys();
  return keys;
}

std::vector<KeySpec> keys_of(Command command) {
  std::vector<KeySpec> keys;
  for (const KeySpec& key : all_keys()) {
    if (has_command(key, command)) keys.push_back(key);
  }
  return keys;
}

void check_config(const Json& config, Command command, const std::string& origin) {
  if (!config.is_object()) throw InputError("{}: must be an object, found {}", origin, config.type_name());
  const std::vector<KeySpec> keys = keys_of(command);
  std::vector<std::string> names;
  for (const KeySpec& key : keys) names.push_back(key.name);
  for (const auto& [name, value] : config.items()) {
    if (name == "$schema") continue;
    const auto key =
        std::find_if(keys.begin(), keys.end(), [&, n = name](const KeySpec& k) { return k.name == n; });
    if (key == keys.end()) {
      throw InputError("{}: /{} is no key of `hrt {}`{}", origin, escape_for_terminal(name),
                       command_name(command), did_you_mean(name, names));
    }
    if (!value.is_null() && !is_valid(*key, value)) {
      throw InputError("{}: /{} must be {}, found {}", origin, name, expected(*key), to_line(value));
    }
  }
}

Json config_schema() {
  Json properties = {{"$schema", {{"type", "string"}}}};
  for (const KeySpec& key : all_keys()) {
    // Keys without a default may be null, as --print-config writes them.
    Json property = schema_of(key);
    if (key.fallback.is_null()) property = {{"anyOf", {property, {{"type", "null"}}}}};
    property["description"] = key.help;
    if (!key.fallback.is_null()) property["default"] = key.fallback;
    properties[key.name] = property;
  }
  return {{"$schema", "http://json-schema.org/draft-07/schema#"},
          {"title", "hrt config"},
          {"type", "object"},
          {"properties", properties},
          {"additionalProperties", false},
          {"definitions", {{"source", source_schema()}}}};
}

}  // namespace hrt
