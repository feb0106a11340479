#pragma once

#include <spdlog/spdlog.h>

#include <filesystem>

namespace hrt {

enum class Verbosity { kQuiet, kNormal, kVerbose };

// Logs go to stderr as plain lines ("warning: ..."), escaped for a terminal; results are never logged.
void setup_logging(Verbosity verbosity);

// Only errors are shown; nobody wants progress either.
bool is_quiet();

// From now on every message is also appended, with time and level, to `file`.
void log_to_file(const std::filesystem::path& file);

}  // namespace hrt
