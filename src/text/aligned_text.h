#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/strings.h"

namespace hrt {

// Text on its way to tokens. Every byte remembers which bytes of the input it stands for: at first the whole
// character that it is part of, later what the steps before it made of that.
struct AlignedText {
  std::string text;
  std::vector<ByteSpan> origin;  // one a byte of `text`

  // `input` must be valid UTF-8; `offset` is where it begins in the whole input.
  static AlignedText of(std::string_view input, std::size_t offset);

  void append(std::string_view bytes, ByteSpan from);
  void append(const AlignedText& other, ByteSpan range);
  void reserve(std::size_t bytes);

  // The input bytes that a non-empty range of `text` stands for.
  ByteSpan span_of(ByteSpan range) const { return {origin[range.begin].begin, origin[range.end - 1].end}; }
};

}  // namespace hrt
