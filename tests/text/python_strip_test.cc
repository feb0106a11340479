#include "python_strip.h"

#include <gtest/gtest.h>

namespace hrt {
namespace {

TEST(PythonStrip, TakesAllUnicodeWhiteSpace) {
  EXPECT_EQ(python_lstrip("\xc2\xa0\xe3\x80\x80\x1f\xc2\x85 x "), "x ");
  EXPECT_EQ(python_rstrip(" x\xe2\x80\xa8\xe1\x9a\x80\n"), " x");
  EXPECT_EQ(python_rstrip(" \t"), "");
}

TEST(PythonStrip, KeepsWhatPythonKeeps) {
  for (const char* text : {"\xe2\x80\x8b", "\xef\xbb\xbf", "\xe1\xa0\x8e", "\x01"}) {
    EXPECT_FALSE(is_python_space(text));
    EXPECT_EQ(python_lstrip(text), text);
    EXPECT_EQ(python_rstrip(text), text);
  }
}

}  // namespace
}  // namespace hrt
