#include "hrt/base/log.h"

#include <gmock/gmock.h>

#include "hrt/base/file.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using ::testing::EndsWith;

TEST(Log, TextsOfOthersDoNotActOnTheTerminal) {
  const TemporaryFolder folder;
  setup_logging(Verbosity::kQuiet);
  log_to_file(folder / "log.txt");
  spdlog::warn("{}: no such \nfile", "a\x1b[31m\u202e");
  EXPECT_THAT(read_file(folder / "log.txt"), EndsWith(" warning a\\x1b[31m\\u202e: no such \\nfile\n"));
}

}  // namespace
}  // namespace hrt
