#include "hrt/base/paths.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace hrt {
namespace {

namespace fs = std::filesystem;

TEST(PathFromHere, IsAsAUserWouldWriteIt) {
  const std::string home = environment("HOME");
  setenv("HOME", "/home/someone", 1);
  const fs::path here = fs::current_path();
  EXPECT_EQ(path_from_here(here / "runs/a"), "runs/a");
  EXPECT_EQ(path_from_here("/home/someone/.cache/hrt/smollm2"), "~/.cache/hrt/smollm2");
  EXPECT_EQ(path_from_here("/home/someone-else/model"), "/home/someone-else/model");
  EXPECT_EQ(path_from_here("/nowhere/x/../model"), "/nowhere/model");
  EXPECT_EQ(path_from_here("models/./a"), "models/a");
  setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace hrt
