#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hrt {

// Length of a character out of its first byte. All functions here but `require_utf8` and
// `lossy_utf8` take valid UTF-8.
constexpr std::size_t char_length(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Throws InputError when the text is not valid UTF-8.
void require_utf8(std::string_view text);

// The code point that starts at text[at].
char32_t code_point_at(std::string_view text, std::size_t at);

// Rust's char::is_numeric: general categories Nd, Nl and No.
bool is_numeric(char32_t character);
// `\w` of Unicode regular expressions (UTS 18, annex C).
bool is_word(char32_t character);
// The Unicode property White_Space.
bool is_white_space(char32_t character);

// Each ill-formed sequence replaced by U+FFFD, as Rust's from_utf8_lossy does.
std::string lossy_utf8(std::string bytes);

// Follows a position that only moves forward, in UTF-8 and in UTF-16 at once.
class Utf16Cursor {
 public:
  explicit Utf16Cursor(std::string_view text) : text_(text) {}

  std::int32_t unit_at(std::size_t byte);  // UTF-16 position of a byte position
  std::size_t byte_at(std::int32_t unit);  // and back

 private:
  void step();

  std::string_view text_;
  std::size_t byte_ = 0;
  std::int32_t unit_ = 0;
};

}  // namespace hrt
