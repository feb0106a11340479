#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

// What a config key holds, in JSON and on the command line.
enum class KeyKind {
  kString,
  kInteger,
  kNumber,
  kBoolean,
  kStrings,    // list of strings; on the command line separated by commas
  kLayers,     // "all", numbers and ranges "A..B[:STEP]" separated by commas, or a list of integers
  kSources,    // list of prompt sources: "FILE", {"file": ...} or {"role": ...}; the flag may be repeated
  kArguments,  // object of strings; the flag takes KEY=VALUE and may be repeated
};

enum class Command { kExtract, kSteer };
std::string_view command_name(Command command);

// One key of a config. The table of keys is the single source of validation, flags, `--help`,
// `--print-config` and the JSON Schema.
struct KeySpec {
  std::string name;  // with underscores; its flag has hyphens
  KeyKind kind = KeyKind::kString;
  Json fallback;      // the default; null: none
  std::string group;  // heading in --help
  std::string help;
  std::vector<std::string> choices = {};  // allowed strings
  double least = 0;                       // smallest allowed number
  bool decides = true;                    // it can change numbers, so that a resumed run must have the same
  std::vector<Command> commands = {Command::kExtract, Command::kSteer};

  std::string flag() const;
};

// The table (config_table.cc).
const std::vector<KeySpec>& all_keys();
std::vector<KeySpec> keys_of(Command command);

// Throws InputError "ORIGIN: /key ...": unknown keys (with the nearest), wrong types, values out of range.
void check_config(const Json& config, Command command, const std::string& origin);

// JSON Schema (draft 7) of config files.
Json config_schema();

}  // namespace hrt
