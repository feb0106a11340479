#pragma once

#include <filesystem>
#include <string>

namespace hrt {

// Where this process writes what is to become `path`: "a.json.tmp123" for "a.json".
std::filesystem::path temporary_name(const std::filesystem::path& path);

// The name of the file that `path` is a temporary of, which a process that was killed leaves: "a.json" of
// "a.json.tmp123". Empty: it is none.
std::string target_of_temporary(const std::filesystem::path& path);

}  // namespace hrt
