#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

namespace hrt {

inline std::filesystem::path golden_folder(const std::string& name) {
  return std::filesystem::path(HRT_SOURCE_DIR) / "tests" / "model" / "goldens" / name;
}

// The tiny checkpoints that tools/dev/make_tiny_checkpoints.py wrote, sorted.
inline std::vector<std::filesystem::path> golden_folders() {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder("")))
    folders.push_back(entry.path());
  std::ranges::sort(folders);
  return folders;
}

}  // namespace hrt
