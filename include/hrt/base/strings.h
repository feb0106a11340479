#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hrt {

// [begin, end) in bytes of some UTF-8 text.
struct ByteSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
  bool operator==(const ByteSpan&) const = default;
};

// Offset of the first byte that is not part of well-formed UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text);

// Length in bytes of the well-formed UTF-8 character that starts at text[0], or 0 when there is none.
std::size_t utf8_length(std::string_view text);

// Text of others made harmless for a terminal: control characters (C0, DEL, C1, bidirectional overrides) and
// broken UTF-8 become visible escapes such as \n, \x1b, \u202e.
std::string escape_for_terminal(std::string_view text);

// The candidate with the smallest edit distance to `name`, or empty when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

// ", did you mean X?" or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);  // ASCII white space

std::string human_bytes(std::uint64_t bytes);     // "269.0 MB"
std::string human_seconds(double seconds);        // "1m 05s"

}  // namespace hrt
