#include "python_strip.h"

#include <algorithm>
#include <array>

namespace hrt {
namespace {

// All of str.isspace(). U+200B, U+FEFF and U+180E are not among them.
constexpr std::array<std::string_view, 29> kSpaces = {
    "\t",           "\n",           "\v",           "\f",           "\r",
    "\x1c",         "\x1d",         "\x1e",         "\x1f",         " ",
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
    "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

}  // namespace

std::string_view python_lstrip(std::string_view text) {
  for (;;) {
    const auto space = std::find_if(kSpaces.begin(), kSpaces.end(),
                                    [&](std::string_view candidate) { return text.starts_with(candidate); });
    if (space == kSpaces.end()) return text;
    text.remove_prefix(space->size());
  }
}

std::string_view python_rstrip(std::string_view text) {
  for (;;) {
    const auto space = std::find_if(kSpaces.begin(), kSpaces.end(),
                                    [&](std::string_view candidate) { return text.ends_with(candidate); });
    if (space == kSpaces.end()) return text;
    text.remove_suffix(space->size());
  }
}

bool is_python_space(std::string_view text) { return python_lstrip(text).empty(); }

}  // namespace hrt
