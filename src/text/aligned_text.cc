#include "aligned_text.h"

#include "unicode_text.h"

namespace hrt {

AlignedText AlignedText::of(std::string_view input, std::size_t offset) {
  AlignedText result{std::string(input), {}};
  result.origin.reserve(input.size());
  for (std::size_t at = 0; at < input.size();) {
    const std::size_t length = char_length(input[at]);
    result.origin.insert(result.origin.end(), length, ByteSpan{offset + at, offset + at + length});
    at += length;
  }
  return result;
}

void AlignedText::append(std::string_view bytes, ByteSpan from) {
  text += bytes;
  origin.insert(origin.end(), bytes.size(), from);
}

void AlignedText::append(const AlignedText& other, ByteSpan range) {
  text.append(other.text, range.begin, range.size());
  const auto first = other.origin.begin() + static_cast<std::ptrdiff_t>(range.begin);
  origin.insert(origin.end(), first, first + static_cast<std::ptrdiff_t>(range.size()));
}

void AlignedText::reserve(std::size_t bytes) {
  text.reserve(bytes);
  origin.reserve(bytes);
}

}  // namespace hrt
