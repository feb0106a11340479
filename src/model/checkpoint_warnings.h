#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

// What of a checkpoint deserves a warning though it can be run. Each is one line, or empty.

std::string unknown_keys_warning(const std::vector<std::string>& keys);
// `file`: where the tensors would be used from.
std::string unused_tensors_warning(const std::vector<std::string>& tensors,
                                   const std::filesystem::path& file);
// Of ids that no token has.
std::string stop_tokens_warning(const std::vector<std::int64_t>& stop_tokens, std::int64_t vocabulary);
// Of targeted modules that the adapter has no maps of.
std::string missing_maps_warning(const std::vector<std::string>& modules);
// An adapter says that it was made on `base_model` (empty: it does not say), which is not the checkpoint in
// `folder`: that is known by its folder's name, in the Hugging Face cache by ORG/NAME, and by its config's
// _name_or_path.
std::string base_model_warning(const std::string& base_model, const std::filesystem::path& folder,
                               const Json& config);

// "a, b, c and 4 more", safe to print.
std::string list_names(const std::vector<std::string>& names);

}  // namespace hrt
