#include "line_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hrt/base/error.h"
#include "hrt/base/interrupt.h"

namespace hrt {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 16;

int milliseconds_until(std::optional<LineStream::Clock::time_point> deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - LineStream::Clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

}  // namespace

LineStream::LineStream(const std::optional<std::filesystem::path>& file) {
  if (!file) return;
  descriptor_ = open(file->c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw InputError("{}: cannot be opened: {}", file->string(), std::strerror(errno));
}

LineStream::~LineStream() {
  if (descriptor_ > 0) close(descriptor_);
}

LineStream::Read LineStream::read_more(std::optional<Clock::time_point> deadline) {
  pollfd waiting{descriptor_, POLLIN, 0};
  const int ready = poll(&waiting, 1, milliseconds_until(deadline));
  if (ready == 0) return Read::kNotYet;
  if (ready < 0 && errno == EINTR) return pending_signal() != 0 ? Read::kEnd : Read::kNotYet;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kReadBytes);
  const ssize_t count = read(descriptor_, buffer_.data() + size, kReadBytes);
  buffer_.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0 && errno != EINTR) throw RunError("the input cannot be read: {}", std::strerror(errno));
  return count == 0 ? Read::kEnd : Read::kSome;
}

void LineStream::take(Line& line, std::size_t end) {
  line.number = ++number_;
  line.too_long = too_long_ || end - begin_ > kMostBytes;
  line.text = line.too_long ? "" : buffer_.substr(begin_, end - begin_);
  too_long_ = false;
  begin_ = searched_ = std::min(end + 1, buffer_.size());
}

bool LineStream::take_line(Line& line) {
  const std::size_t end = buffer_.find('\n', searched_);
  if (end != std::string::npos) {
    take(line, end);
    return true;
  }
  buffer_.erase(0, begin_);
  begin_ = 0;
  if (buffer_.size() > kMostBytes) {
    too_long_ = true;
    buffer_.clear();
  }
  searched_ = buffer_.size();
  return false;
}

LineStream::Next LineStream::next(Line& line, std::optional<Clock::time_point> deadline) {
  while (pending_signal() == 0) {
    if (take_line(line)) return Next::kLine;
    const Read read = read_more(deadline);
    if (read == Read::kNotYet && deadline) return Next::kNotYet;
    if (read != Read::kEnd) continue;
    if (buffer_.empty() && !too_long_) return Next::kEnd;
    take(line, buffer_.size());
    return Next::kLine;
  }
  return Next::kEnd;
}

}  // namespace hrt
