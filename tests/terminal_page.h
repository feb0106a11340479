#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt::test {

// No line of a page for people is wider than a terminal of 100 columns.
inline void fits_the_terminal(const std::string& page) {
  for (const std::string& line : split(page, '\n')) {
    const auto characters =
        std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    EXPECT_LE(characters, static_cast<std::ptrdiff_t>(kPageWidth)) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

}  // namespace hrt::test
