#include "hrt/base/file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/scratch_folder.h"
#include "hrt/base/error.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class Files : public ScratchFolder {
 protected:
  std::size_t count() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
};

TEST_F(Files, MapsWhatIsThere) {
  const MappedFile file(write("a", "some bytes"));
  EXPECT_EQ(file.text(), "some bytes");
  file.release(0, file.size());
  EXPECT_EQ(file.text(), "some bytes");
  EXPECT_EQ(MappedFile(write("empty", "")).size(), 0U);
}

TEST_F(Files, MappingsMove) {
  MappedFile first(write("a", "one"));
  MappedFile second(write("b", "two"));
  second = std::move(first);
  EXPECT_EQ(second.text(), "one");
  const MappedFile third(std::move(second));
  EXPECT_EQ(third.text(), "one");
  EXPECT_EQ(third.path().filename(), "a");
}

TEST_F(Files, ReadsWholeFilesUpToALimit) {
  const fs::path file = write("a", "12345");
  EXPECT_EQ(read_file(file, 5), "12345");
  EXPECT_THAT([&] { read_file(file, 4); }, ThrowsMessage<InputError>(HasSubstr("5 bytes, at most 4")));
}

TEST_F(Files, RefusesWhatIsNoRegularFile) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const fs::path& path : {folder_, pipe}) {  // and does not wait for the pipe's writer
    EXPECT_THAT([&] { MappedFile{path}; }, ThrowsMessage<InputError>(HasSubstr("not a regular file")));
    EXPECT_THAT([&] { read_file(path); }, ThrowsMessage<InputError>(HasSubstr("not a regular file")));
  }
  EXPECT_THAT([&] { MappedFile{folder_ / "absent"}; }, ThrowsMessage<InputError>(HasSubstr("No such file")));
}

TEST_F(Files, AMappedFileThatChangedIsNoticed) {
  const fs::path path = write("mapped", "some bytes");
  const MappedFile file(path);
  EXPECT_NO_THROW(file.check_unchanged());
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::nanoseconds(1000));
  EXPECT_THAT([&] { file.check_unchanged(); },
              ThrowsMessage<RunError>(HasSubstr("mapped: the file changed")));
  fs::remove(path);
  EXPECT_THAT([&] { file.check_unchanged(); }, ThrowsMessage<InputError>(HasSubstr("No such file")));
}

// The process, which would else die of a signal.
TEST_F(Files, AMappedFileThatWasCutEndsInOneLine) {
  const fs::path path = write("mapped", std::string(100'000, 'x'));
  EXPECT_EXIT(
      {
        install_mapping_fault_handler();
        const MappedFile file(path);
        fs::resize_file(path, 0);
        _exit(static_cast<int>(file.data()[99'999]));
      },
      ::testing::ExitedWithCode(1), "^hrt: error: .*mapped: cannot be read any more: [^\n]*\n$");
}

TEST_F(Files, AtomicFilesAppearWithCommit) {
  const fs::path path = write("result", "old");
  {
    AtomicFile file(path);
    file.write("new ");
    EXPECT_EQ(read_file(path), "old");
    file.write("content");
    file.commit();
  }
  EXPECT_EQ(read_file(path), "new content");
  EXPECT_EQ(count(), 1U);
}

TEST_F(Files, AtomicFilesWithoutCommitLeaveNothing) {
  { AtomicFile(folder_ / "result").write("half of it"); }
  EXPECT_EQ(count(), 0U);
}

TEST_F(Files, AtomicFilesThatCannotBeRenamedLeaveNothing) {
  fs::create_directories(folder_ / "taken/inside");
  AtomicFile file(folder_ / "taken");
  EXPECT_THAT([&] { file.commit(); }, ThrowsMessage<RunError>(HasSubstr("renamed")));
  EXPECT_EQ(count(), 1U);
}

TEST_F(Files, AtomicFilesNeedTheirFolder) {
  EXPECT_THAT([&] { write_file(folder_ / "absent/result", "x"); },
              ThrowsMessage<RunError>(HasSubstr("absent/result")));
}

}  // namespace
}  // namespace hrt
