#pragma once

#include <span>
#include <string_view>

namespace hrt::fuzz {

// One reader of files that others wrote. `run` reads the bytes as such a file and uses what came out; all that
// it may throw is InputError, which it catches: anything else, and any fault, is a finding.
struct Target {
  std::string_view name;
  void (*run)(std::string_view bytes);
};

std::span<const Target> targets();

}  // namespace hrt::fuzz
