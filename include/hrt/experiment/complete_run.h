#pragma once

#include <filesystem>
#include <optional>

#include "hrt/base/json.h"
#include "hrt/experiment/execute.h"

namespace hrt {

// What --json prints of a run, on one line: `run` (null: none was written) and what its results.json holds.
void print_json(const std::optional<std::filesystem::path>& run, const Json& results);

// The end of a command that finds its run complete: says so, and prints what the run printed with --json when
// it ended, out of its results.json. Returns the code that it ended with.
ExitCode end_complete_run(RunDirectory& run, const RunOptions& options);

}  // namespace hrt
