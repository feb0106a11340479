#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace hrt {

// Results on stdout. What cannot be written is noted, not thrown: a run whose table nobody can read is
// complete all the same.
void put_out(std::string_view text);

template <typename... Args>
void print_out(fmt::format_string<Args...> format, Args&&... args) {
  put_out(fmt::format(format, std::forward<Args>(args)...));
}

// To be called before the process ends. False when nobody reads any more (a closed pipe); throws RunError
// when stdout takes no more for another reason: its disk is full.
bool flush_out();

// What a process ends with when nobody reads its results: as if SIGPIPE had ended it.
inline constexpr int kNobodyReads = 128 + 13;

}  // namespace hrt
