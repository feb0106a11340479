#include "unicode_text.h"

#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

UChar32 icu(char32_t character) { return static_cast<UChar32>(character); }

}  // namespace

void require_utf8(std::string_view text) {
  const std::size_t broken = find_invalid_utf8(text);
  if (broken != text.npos) throw InputError("text to encode: byte {} is not valid UTF-8", broken);
}

char32_t code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t length = char_length(text[at]);
  if (length == 1) return byte(0);
  char32_t result = byte(0) & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) result = result << 6 | (byte(i) & 0x3Fu);
  return result;
}

bool is_numeric(char32_t character) {
  const std::int8_t category = u_charType(icu(character));
  return category == U_DECIMAL_DIGIT_NUMBER || category == U_LETTER_NUMBER || category == U_OTHER_NUMBER;
}

bool is_word(char32_t character) {
  constexpr std::uint32_t kMarksDigitsConnectors = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  return u_isUAlphabetic(icu(character)) ||
         (U_MASK(u_charType(icu(character))) & kMarksDigitsConnectors) != 0 ||
         u_hasBinaryProperty(icu(character), UCHAR_JOIN_CONTROL);
}

bool is_white_space(char32_t character) { return u_isUWhiteSpace(icu(character)); }

std::string lossy_utf8(std::string bytes) {
  if (find_invalid_utf8(bytes) == std::string::npos) return bytes;
  std::string result;
  icu::UnicodeString::fromUTF8(bytes).toUTF8String(result);
  return result;
}

void Utf16Cursor::step() {
  const std::size_t length = char_length(text_[byte_]);
  byte_ += length;
  unit_ += length == 4 ? 2 : 1;
}

std::int32_t Utf16Cursor::unit_at(std::size_t byte) {
  while (byte_ < byte) step();
  return unit_;
}

std::size_t Utf16Cursor::byte_at(std::int32_t unit) {
  while (unit_ < unit) step();
  return byte_;
}

}  // namespace hrt
