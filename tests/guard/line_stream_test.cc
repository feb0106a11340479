#include "line_stream.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>

#include "hrt/base/error.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using Clock = LineStream::Clock;

std::vector<std::string> all_lines(const std::string& content) {
  const TemporaryFolder folder;
  LineStream stream(folder.write("lines", content));
  std::vector<std::string> lines;
  LineStream::Line line;
  while (stream.next(line, std::nullopt) == LineStream::Next::kLine) {
    EXPECT_EQ(line.number, static_cast<std::int64_t>(lines.size()) + 1);
    lines.push_back(line.too_long ? "(too long)" : line.text);
  }
  return lines;
}

TEST(LineStream, ReadsLinesToTheEnd) {
  EXPECT_THAT(all_lines(""), ElementsAre());
  EXPECT_THAT(all_lines("a\n\nb\n"), ElementsAre("a", "", "b"));
  EXPECT_THAT(all_lines("a\nno end"), ElementsAre("a", "no end"));
  EXPECT_THAT(all_lines("\n"), ElementsAre(""));
}

TEST(LineStream, LinesMayBeLongerThanWhatIsReadAtATime) {
  const std::string text(200'000, 'x');
  EXPECT_THAT(all_lines("a\n" + text + "\nb"), ElementsAre("a", text, "b"));
}

TEST(LineStream, TooLongLinesAreNotKept) {
  const std::string text(3 * LineStream::kMostBytes / 2, 'x');
  EXPECT_THAT(all_lines("a\n" + text + "\nb\n" + text), ElementsAre("a", "(too long)", "b", "(too long)"));
}

TEST(LineStream, WaitsNoLongerThanAsked) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  LineStream stream("/dev/fd/" + std::to_string(ends[0]));
  const auto send = [&](std::string_view text) {
    ASSERT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  };
  LineStream::Line line;
  EXPECT_EQ(stream.next(line, Clock::now()), LineStream::Next::kNotYet);
  send("first\nsecond\nth");
  // What is there is taken, whatever the time.
  EXPECT_EQ(stream.next(line, Clock::now() - std::chrono::hours(1)), LineStream::Next::kLine);
  EXPECT_EQ(line.text, "first");
  EXPECT_EQ(stream.next(line, Clock::now()), LineStream::Next::kLine);
  EXPECT_EQ(line.text, "second");
  const auto before = Clock::now();
  EXPECT_EQ(stream.next(line, before + std::chrono::milliseconds(20)), LineStream::Next::kNotYet);
  EXPECT_GE(Clock::now() - before, std::chrono::milliseconds(19));
  send("ird\n");
  EXPECT_EQ(stream.next(line, std::nullopt), LineStream::Next::kLine);
  EXPECT_EQ(line.text, "third");
  EXPECT_EQ(line.number, 3);
  close(ends[1]);
  EXPECT_EQ(stream.next(line, std::nullopt), LineStream::Next::kEnd);
  close(ends[0]);
}

TEST(LineStream, AMissingFileIsNamed) { EXPECT_THROW(LineStream("/nowhere/lines.jsonl"), InputError); }

}  // namespace
}  // namespace hrt
