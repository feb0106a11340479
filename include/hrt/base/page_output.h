#pragma once

#include <string_view>

namespace hrt {

// A page of several lines on stdout. Names in it come from files of others: each line is made harmless for a terminal.
void print_page(std::string_view page);

}  // namespace hrt
