#pragma once

#include <filesystem>
#include <string>

#include "hrt/base/json.h"

namespace hrt {

// The manifest of a run directory. Throws InputError when the folder's manifest.json is none of hrt's.
Json read_manifest(const std::filesystem::path& run);

// Its essence for people: what was computed from what, how it ended, counts, row identity, warnings, files.
std::string run_page(const std::filesystem::path& run, const Json& manifest);

}  // namespace hrt
