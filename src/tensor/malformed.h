#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace hrt {

// What is wrong with some bytes of a file, said by code that knows neither file nor place: its callers make
// an InputError of it.
class Malformed : public std::runtime_error {
 public:
  template <typename... Args>
  explicit Malformed(fmt::format_string<Args...> format, Args&&... args)
      : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)) {}
};

}  // namespace hrt
