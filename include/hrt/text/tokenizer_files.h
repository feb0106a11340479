#pragma once

#include <filesystem>

namespace hrt {

// Whether open_tokenizer() finds one in this folder.
bool has_tokenizer(const std::filesystem::path& folder);

}  // namespace hrt
