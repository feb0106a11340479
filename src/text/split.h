#pragma once

#include <vector>

#include "hrt/base/strings.h"

namespace hrt {

// What becomes of the matches when text is cut at them (the tokenizers library's SplitDelimiterBehavior).
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// Cuts each piece at the `matches` that lie in it; text between two matches is one piece. Both lists ascend,
// no match crosses the end of a piece. `invert`: the matches are the text and the gaps are what text is cut
// at.
std::vector<ByteSpan> split_pieces(const std::vector<ByteSpan>& pieces, const std::vector<ByteSpan>& matches,
                                   SplitBehavior behavior, bool invert = false);

}  // namespace hrt
