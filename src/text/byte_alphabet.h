#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hrt {

// GPT-2's byte alphabet: every byte has a printable character that stands for it in byte-level vocabularies
// (printable ASCII and Latin-1 themselves, the others U+0100 and on, in order: a space is "Ġ").

// The UTF-8 of the character that stands for a byte.
std::string_view byte_to_alphabet(unsigned char byte);

// The bytes that a token stands for, or nothing when it has a character outside the alphabet.
std::optional<std::string> alphabet_to_bytes(std::string_view token);

}  // namespace hrt
