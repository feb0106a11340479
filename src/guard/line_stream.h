#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace hrt {

// Lines of a file or of stdin, as they arrive. Holds no more than what was read and the line that is asked
// for.
class LineStream {
 public:
  using Clock = std::chrono::steady_clock;

  struct Line {
    std::int64_t number = 0;  // from 1
    std::string text;         // without the line break
    bool too_long = false;    // longer than kMostBytes: its text is not kept
  };
  enum class Next { kLine, kNotYet, kEnd };
  static constexpr std::size_t kMostBytes = std::size_t{1} << 24;

  // Nothing: stdin. Throws InputError where the file cannot be opened.
  explicit LineStream(const std::optional<std::filesystem::path>& file);
  ~LineStream();
  LineStream(const LineStream&) = delete;
  LineStream& operator=(const LineStream&) = delete;

  // The next line; waits for one until `deadline` (nothing: without end), but takes what is there already
  // whatever the time. A signal that asks the program to stop ends the stream. Throws RunError.
  Next next(Line& line, std::optional<Clock::time_point> deadline);

 private:
  enum class Read { kSome, kNotYet, kEnd };
  Read read_more(std::optional<Clock::time_point> deadline);
  bool take_line(Line& line);
  void take(Line& line, std::size_t end);

  int descriptor_ = 0;
  std::string buffer_;
  std::size_t begin_ = 0;     // of what is not taken yet
  std::size_t searched_ = 0;  // up to here there is no line break
  bool too_long_ = false;     // the line that is being read
  std::int64_t number_ = 0;
};

}  // namespace hrt
