#include "split.h"

namespace hrt {
namespace {

struct Segment {
  ByteSpan span;
  bool is_match;
};

// Appends the piece's non-empty segments to the result as the behavior says.
class Joiner {
 public:
  Joiner(SplitBehavior behavior, std::vector<ByteSpan>& result) : behavior_(behavior), result_(result) {}

  void begin_piece() { first_ = true; }

  void add(const Segment& segment) {
    if (segment.span.empty()) return;
    if (behavior_ == SplitBehavior::kRemoved) {
      if (!segment.is_match) result_.push_back(segment.span);
    } else if (!first_ && joins(segment)) {
      result_.back().end = segment.span.end;
    } else {
      result_.push_back(segment.span);
    }
    first_ = false;
    after_match_ = segment.is_match;
  }

 private:
  bool joins(const Segment& segment) const {
    switch (behavior_) {
      case SplitBehavior::kMergedWithPrevious:
        return segment.is_match && !after_match_;
      case SplitBehavior::kMergedWithNext:
        return !segment.is_match && after_match_;
      case SplitBehavior::kContiguous:
        return segment.is_match == after_match_;
      default:
        return false;
    }
  }

  SplitBehavior behavior_;
  std::vector<ByteSpan>& result_;
  bool first_ = true;
  bool after_match_ = false;
};

}  // namespace

std::vector<ByteSpan> split_pieces(const std::vector<ByteSpan>& pieces, const std::vector<ByteSpan>& matches,
                                   SplitBehavior behavior, bool invert) {
  std::vector<ByteSpan> result;
  result.reserve(pieces.size() + matches.size());
  Joiner joiner(behavior, result);
  auto match = matches.begin();
  for (const ByteSpan& piece : pieces) {
    joiner.begin_piece();
    std::size_t at = piece.begin;
    while (match != matches.end() && match->begin < piece.begin)
      ++match;  // in text that an earlier step removed
    for (; match != matches.end() && match->end <= piece.end; ++match) {
      joiner.add({{at, match->begin}, invert});
      joiner.add({*match, !invert});
      at = match->end;
    }
    joiner.add({{at, piece.end}, invert});
  }
  return result;
}

}  // namespace hrt
