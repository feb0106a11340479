#include "hrt/base/hub_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "hrt/base/error.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class HubCacheTest : public ::testing::Test {
 protected:
  HubCacheTest() {
    setenv("HF_HUB_CACHE", temporary_.path().c_str(), 1);
    fs::create_directories(model_ / "refs");
  }
  ~HubCacheTest() override { unsetenv("HF_HUB_CACHE"); }

  void write_ref(const std::string& text) { std::ofstream(model_ / "refs/main") << text; }
  static void expect_error(const std::string& part) {
    EXPECT_THAT([] { cached_model("org/name"); }, ThrowsMessage<InputError>(HasSubstr(part)));
  }

  const TemporaryFolder temporary_;
  const fs::path model_ = temporary_.path() / "models--org--name";
};

TEST_F(HubCacheTest, FindsTheSnapshotOfMain) {
  const fs::path snapshot = model_ / "snapshots/0123abc";
  fs::create_directories(snapshot);
  write_ref("0123abc\n");
  EXPECT_EQ(cached_model("org/name"), snapshot);
}

TEST_F(HubCacheTest, ASnapshotsFolderHasItsModelsName) {
  EXPECT_EQ(cached_name(model_ / "snapshots/0123abc"), "org/name");
  EXPECT_EQ(cached_name(model_ / "snapshots/0123abc/"), "org/name");
  EXPECT_EQ(cached_name("/hub/models--gpt2/snapshots/0123abc"), "gpt2");
  for (const char* other :
       {"", "/", "name", "/models/name", "/hub/models--org--name", "/hub/datasets--a--b/snapshots/0"})
    EXPECT_EQ(cached_name(other), "") << other;
}

TEST_F(HubCacheTest, SaysWhereItLooked) {
  EXPECT_THAT([] { cached_model("org/other"); },
              ThrowsMessage<InputError>(HasSubstr((temporary_.path() / "models--org--other").string())));
  expect_error("refs/main, which says");
  write_ref("0123abc");
  expect_error("snapshots/0123abc");
}

TEST_F(HubCacheTest, ARefLeadsNowhereElse) {
  for (const char* text : {"", "../../other", "main", "/tmp"}) {
    write_ref(text);
    expect_error("expected a commit");
  }
}

TEST_F(HubCacheTest, TheCacheIsWhereTheLibrariesHaveIt) {
  EXPECT_EQ(hub_cache(), temporary_.path());
  unsetenv("HF_HUB_CACHE");
  setenv("HF_HOME", "/somewhere", 1);
  EXPECT_EQ(hub_cache(), "/somewhere/hub");
  unsetenv("HF_HOME");
  EXPECT_EQ(hub_cache().filename(), "hub");
}

TEST(HubName, IsTwoPartsThatAreNoPath) {
  EXPECT_TRUE(is_hub_name("Qwen/Qwen2.5-7B-Instruct"));
  for (const char* path : {"name", "a/b/c", "./name", "../name", "/name", "org/", "~/name", "org/.."})
    EXPECT_FALSE(is_hub_name(path)) << path;
}

}  // namespace
}  // namespace hrt
