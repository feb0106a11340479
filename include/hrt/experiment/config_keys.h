#pragma once

#include <cstdint>
#include <optional>
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
  kSources,    // list of "FILE" or objects (see source_keys) of a file or a role; the flag may be repeated
  kArguments,  // object of strings; the flag takes KEY=VALUE and may be repeated
  kNumbers,    // list of numbers; on the command line separated by commas
  kSweeps,     // list of sweeps, see sweep_keys
  kExtract,    // keys of `hrt extract`, for the extraction that a run begins with; no flag
  kCondition,  // object: {"rows": LIST, "above": X} or {"rows": LIST, "below": X}; no flag
  kTensors,    // object: tensor files and what they hold (docs/formats.md); no flag
  kVariants,   // list of objects: name, and what a variant's extraction does otherwise; no flag
  kFields,     // object: fields of prompts, and the values that they must have; no flag
};

enum class Command { kExtract, kSteer, kSelect, kProbe, kGuardFit, kGuardEval, kGuardScore };
std::string_view command_name(Command command);  // "steer select"
std::optional<Command> command_by_name(std::string_view name);

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
  std::optional<double> most = {};        // largest (of integers 2^31 - 1, where nothing is said)
  bool positional = false;                // on the command line it stands without a flag
  bool decides = true;                    // it can change numbers, so that a resumed run must have the same
  // Those that run the prompts of a config.
  std::vector<Command> commands = {Command::kExtract, Command::kSteer,    Command::kSelect,
                                   Command::kProbe,   Command::kGuardFit, Command::kGuardEval};

  bool has_flag() const {
    if (positional) return false;
    switch (kind) {
      case KeyKind::kSweeps:
      case KeyKind::kExtract:
      case KeyKind::kCondition:
      case KeyKind::kTensors:
      case KeyKind::kVariants:
      case KeyKind::kFields:
        return false;
      default:
        return true;
    }
  }
  std::string flag() const;
};

// The table (config_table.cc).
const std::vector<KeySpec>& all_keys();
std::vector<KeySpec> keys_of(Command command);
// Keys of one prompt source.
const std::vector<KeySpec>& source_keys();
// Keys of one sweep. Those that the config has, too, are taken from there where a sweep does not say
// otherwise.
const std::vector<KeySpec>& sweep_keys();
// Keys of an intervention that goes along with every cell of a sweep.
const std::vector<KeySpec>& intervention_keys();

// Throws InputError "ORIGIN: /key ...": unknown keys (with the nearest), wrong types, values out of range.
void check_config(const Json& config, Command command, const std::string& origin);
// Alike, for the `sizes` of a catalog: keys of any command or, under a command's name, of that one; none that
// say which model, data and run it is about.
void check_sizes(const Json& sizes, const std::string& origin);

// JSON Schema (draft 7) of config files.
Json config_schema();

}  // namespace hrt
