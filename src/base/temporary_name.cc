#include "hrt/base/temporary_name.h"

#include <unistd.h>

namespace hrt {
namespace {

constexpr std::string_view kMark = ".tmp";

}  // namespace

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  std::filesystem::path name = path;
  name += kMark;
  name += std::to_string(getpid());
  return name;
}

std::string target_of_temporary(const std::filesystem::path& path) {
  const std::string name = path.filename();
  const std::size_t end = name.rfind(kMark);
  if (end == std::string::npos || end + kMark.size() == name.size()) return "";
  const std::string_view number = std::string_view(name).substr(end + kMark.size());
  return number.find_first_not_of("0123456789") == std::string_view::npos ? name.substr(0, end) : "";
}

}  // namespace hrt
