#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "hrt/experiment/config.h"

namespace hrt {

// What stands behind a command's name without a flag: `hrt probe ANALYSIS [RUN...]`, `hrt guard fit RUN...`,
// `hrt guard eval [GUARD] [RUN...]`, `hrt guard score GUARD [FILE]`. `overrides` must outlive parsing.
void add_positionals(CLI::App& app, Command command, std::vector<Override>& overrides);

}  // namespace hrt
