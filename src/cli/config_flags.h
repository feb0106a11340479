#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "hrt/experiment/config.h"

namespace hrt {

// Adds a flag for every key of the command, and --set; what is given is appended to `overrides` in the order
// of the command line. `overrides` must outlive parsing.
void add_config_flags(CLI::App& app, Command command, std::vector<Override>& overrides);

}  // namespace hrt
