#pragma once

#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace hrt::fuzz {

// What was said of bytes that were not taken.
using Refusal = std::optional<std::string>;

// One reader of files that others wrote. `run` reads the bytes as such a file and uses what came out; all
// that it may throw is InputError, whose message it returns: anything else, and any fault, is a finding.
struct Target {
  std::string_view name;
  Refusal (*run)(std::string_view bytes);
};

inline void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

std::span<const Target> targets();

}  // namespace hrt::fuzz
