#pragma once

#include <cstdlib>
#include <filesystem>

namespace hrt {

// The large test data that no clone carries: $HRT_TEST_DATA, else beside the project. May be absent.
inline std::filesystem::path large_test_data() {
  if (const char* folder = std::getenv("HRT_TEST_DATA")) return folder;
  return std::filesystem::path(HRT_SOURCE_DIR) / "../shared/data";
}

}  // namespace hrt
