#pragma once

#include <filesystem>
#include <string>

#include "hrt/experiment/run_directory.h"

namespace hrt {

// The essence of a run's manifest for people: what was computed from what, how it ended, counts, row
// identity, warnings, files.
std::string run_page(const std::filesystem::path& run, const Json& manifest);

}  // namespace hrt
