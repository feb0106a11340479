#include "plain_spans.h"

#include <algorithm>

namespace hrt {

PlainSpans::PlainSpans(const EncodeOptions& options)
    : markers_(options.markers.begin(), options.markers.end()) {
  std::vector<ByteSpan> spans = options.plain;
  std::sort(spans.begin(), spans.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  for (const ByteSpan& span : spans) {
    if (span.empty()) continue;
    if (!spans_.empty() && span.begin <= spans_.back().end) {
      spans_.back().end = std::max(spans_.back().end, span.end);
    } else {
      spans_.push_back(span);
    }
  }
}

bool PlainSpans::allows(const AddedToken& token, ByteSpan place) const {
  return !overlaps(place) || !(token.special || markers_.contains(token.content));
}

bool PlainSpans::overlaps(ByteSpan place) const {
  const auto after = std::upper_bound(spans_.begin(), spans_.end(), place.begin,
                                      [](std::size_t at, const ByteSpan& span) { return at < span.end; });
  return after != spans_.end() && after->begin < place.end;
}

}  // namespace hrt
