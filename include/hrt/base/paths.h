#pragma once

#include <filesystem>
#include <string>

namespace hrt {

// An environment variable; empty where it is not set.
std::string environment(const char* name);

// The folder of hrt's own data files (phrase lists, schema): $HRT_DATA_DIR, else ../share/hrt/data beside the
// executable's folder (an installed tree), else the source tree's data/. Throws InputError when none is there.
std::filesystem::path data_dir();

// Where fetched models and prompt sets lie: ${XDG_CACHE_HOME:-~/.cache}/hrt.
std::filesystem::path cache_dir();

// As a user here would write it: relative where it lies in the current folder, from ~ where it lies in the
// home folder, otherwise as it is.
std::string path_from_here(const std::filesystem::path& path);

}  // namespace hrt
