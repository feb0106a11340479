#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "malformed.h"

namespace hrt {

// Takes little-endian numbers and texts off the front of some bytes. Throws Malformed where they end too
// early.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  std::string_view take(std::uint64_t count) {
    if (count > left()) throw Malformed("{} bytes where {} are expected (truncated?)", left(), count);
    const std::string_view result = bytes_.substr(position_, count);
    position_ += count;
    return result;
  }

  // Up to the next newline, which is taken, too.
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', position_);
    if (end == std::string_view::npos) throw Malformed("a line without an end (truncated?)");
    const std::string_view result = take(end - position_);
    ++position_;
    return result;
  }

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
};

}  // namespace hrt
