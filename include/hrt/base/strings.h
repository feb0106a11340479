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

// Text of others made harmless and visible for a terminal: controls, marks of direction, zero-width
// characters, spaces that are not the common one, combining marks without a letter, and broken UTF-8 become
// escapes such as \n, \x1b, \u202e. What is escaped already stays as it is.
std::string escape_for_terminal(std::string_view text);

// Columns that escaped text takes on a terminal: Chinese characters and emoji take two, combining marks none.
std::size_t terminal_width(std::string_view text);

// The candidate with the smallest edit distance to `name`, or empty when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

// ", did you mean X?" or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

std::vector<std::string> split(std::string_view text, char separator);
std::vector<std::string> split_list(
    std::string_view text);  // "a, b": at commas, without the spaces around them
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);  // ASCII white space

std::string counted(std::size_t number, std::string_view noun);  // "1 prompt", "2 replies"
std::string human_bytes(std::uint64_t bytes);                    // "269.0 MB"
std::string human_seconds(double seconds);                       // "1m 05s"

}  // namespace hrt
