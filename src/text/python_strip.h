#pragma once

#include <string_view>

namespace hrt {

// Python's str.lstrip and str.rstrip on UTF-8, which chat templates call (Jinja's `trim`).
std::string_view python_lstrip(std::string_view text);
std::string_view python_rstrip(std::string_view text);

// Whether all of it is what str.strip removes.
bool is_python_space(std::string_view text);

}  // namespace hrt
