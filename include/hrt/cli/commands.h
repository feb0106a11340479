#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "hrt/base/error.h"
#include "hrt/experiment/config_keys.h"

namespace hrt {

// What the chosen subcommand does once the command line is parsed.
using Action = std::function<ExitCode()>;

// Each adds its subcommand to `app`; when that is chosen, `action` is set.
void add_experiment(CLI::App& app, Command command, Action& action);
void add_guard(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_reproduce(CLI::App& app, Action& action);
void add_merge(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
// Beside `hrt steer` itself, which needs no subcommand.
void add_export(CLI::App& steer, Action& action);

}  // namespace hrt
