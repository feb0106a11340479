#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "hrt/experiment/config.h"

namespace hrt {

// Adds the flag of one key; what is given is appended to `overrides`, which must outlive parsing.
void add_config_flag(CLI::App& app, const KeySpec& key, std::vector<Override>& overrides);

// Adds a flag for every key of the command, and --set; what is given is appended to `overrides` in the order
// of the command line. `overrides` must outlive parsing.
void add_config_flags(CLI::App& app, Command command, std::vector<Override>& overrides);

}  // namespace hrt
