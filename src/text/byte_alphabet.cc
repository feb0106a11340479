#include "byte_alphabet.h"

#include <array>

#include "unicode_text.h"

namespace hrt {
namespace {

constexpr char32_t kFirstSubstitute = 0x100;
constexpr char32_t kLastSubstitute = 0x143;

struct Alphabet {
  std::array<std::string, 256> of_byte;
  std::array<unsigned char, kLastSubstitute + 1> byte_of{};
  std::array<bool, kLastSubstitute + 1> known{};
};

bool stands_for_itself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

std::string two_byte_utf8(char32_t character) {
  return {static_cast<char>(0xC0 | character >> 6), static_cast<char>(0x80 | (character & 0x3F))};
}

const Alphabet& alphabet() {
  static const Alphabet kAlphabet = [] {
    Alphabet result;
    char32_t substitute = kFirstSubstitute;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const char32_t character = stands_for_itself(byte) ? byte : substitute++;
      result.of_byte[byte] =
          character < 0x80 ? std::string(1, static_cast<char>(character)) : two_byte_utf8(character);
      result.byte_of[character] = static_cast<unsigned char>(byte);
      result.known[character] = true;
    }
    return result;
  }();
  return kAlphabet;
}

}  // namespace

std::string_view byte_to_alphabet(unsigned char byte) { return alphabet().of_byte[byte]; }

std::optional<std::string> alphabet_to_bytes(std::string_view token) {
  std::string bytes;
  for (std::size_t at = 0; at < token.size(); at += char_length(token[at])) {
    const char32_t character = code_point_at(token, at);
    if (character > kLastSubstitute || !alphabet().known[character]) return std::nullopt;
    bytes += static_cast<char>(alphabet().byte_of[character]);
  }
  return bytes;
}

}  // namespace hrt
