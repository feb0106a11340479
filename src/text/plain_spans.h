#pragma once

#include <string_view>
#include <unordered_set>
#include <vector>

#include "added_tokens.h"
#include "hrt/text/tokenizer.h"

namespace hrt {

// Where markers are plain text (EncodeOptions::plain), and which added tokens are markers: the special ones
// and those that the caller names. Refers to the options.
class PlainSpans {
 public:
  explicit PlainSpans(const EncodeOptions& options);

  // Whether a token may be recognised at a place of the input.
  bool allows(const AddedToken& token, ByteSpan place) const;
  bool overlaps(ByteSpan place) const;
  bool empty() const { return spans_.empty(); }

 private:
  std::vector<ByteSpan> spans_;  // ascending, disjoint
  std::unordered_set<std::string_view> markers_;
};

}  // namespace hrt
