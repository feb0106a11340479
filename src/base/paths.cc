#include "hrt/base/paths.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "hrt/base/error.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path data_dir() {
  if (const std::string chosen = environment("HRT_DATA_DIR"); !chosen.empty()) return chosen;
  std::error_code ignored;
  const fs::path executable = fs::read_symlink("/proc/self/exe", ignored);
  const std::vector<fs::path> candidates{executable.parent_path().parent_path() / "share/hrt/data", HRT_SOURCE_DATA};
  for (const fs::path& candidate : candidates) {
    if (fs::is_directory(candidate / "judges", ignored)) return candidate;
  }
  throw InputError("hrt's data files are not in {}: set HRT_DATA_DIR", candidates.front().string());
}

fs::path cache_dir() {
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) return fs::path(cache) / "hrt";
  return fs::path(environment("HOME")) / ".cache/hrt";
}

std::string path_from_here(const std::filesystem::path& path) {
  if (!path.is_absolute()) return path.lexically_normal().string();
  const auto within = [&](const std::filesystem::path& folder) {
    const std::filesystem::path relative = path.lexically_relative(folder);
    return relative.empty() || *relative.begin() == ".." ? std::filesystem::path() : relative;
  };
  if (const auto here = within(std::filesystem::current_path()); !here.empty()) return here.string();
  const std::string home = environment("HOME");
  const auto at_home = home.empty() ? std::filesystem::path() : within(home);
  return (at_home.empty() ? path.lexically_normal() : "~" / at_home).string();
}

}  // namespace hrt
