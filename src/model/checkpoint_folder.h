#pragma once

#include <filesystem>

namespace hrt {

// A checkpoint folder's two parts. Each throws InputError when its part is not there, saying what the folder
// holds instead and what to do.

std::filesystem::path config_file(const std::filesystem::path& folder);   // config.json
std::filesystem::path weights_file(const std::filesystem::path& folder);  // by which they are opened

}  // namespace hrt
