#include "metaspace.h"

#include "pattern.h"
#include "split.h"

namespace hrt {
namespace {

class Metaspace : public PreTokenizer {
 public:
  Metaspace(std::string replacement, PrependScheme scheme, bool split)
      : replacement_(std::move(replacement)), scheme_(scheme), split_(split) {}

  void apply(Pieces& pieces) const override {
    rewrite_pieces(pieces, [&](const AlignedText& from, ByteSpan piece, AlignedText& to) {
      if (takes_prefix(from, piece)) to.append(replacement_, from.origin[piece.begin]);
      for (std::size_t at = piece.begin; at < piece.end; ++at) {
        to.append(from.text[at] == ' ' ? replacement_ : std::string_view(&from.text[at], 1), from.origin[at]);
      }
    });
    if (!split_) return;
    const std::vector<ByteSpan> spaces = string_pattern(replacement_)->find(pieces.text.text, pieces.pieces);
    pieces.pieces = split_pieces(pieces.pieces, spaces, SplitBehavior::kMergedWithNext);
  }
  std::string_view name() const override { return "Metaspace"; }

 private:
  bool takes_prefix(const AlignedText& from, ByteSpan piece) const {
    if (piece.empty() || scheme_ == PrependScheme::kNever) return false;
    const std::string_view text = std::string_view(from.text).substr(piece.begin, piece.size());
    if (text.starts_with(' ') || text.starts_with(replacement_)) return false;
    return scheme_ == PrependScheme::kAlways || from.origin[piece.begin].begin == 0;
  }

  std::string replacement_;
  PrependScheme scheme_;
  bool split_;
};

}  // namespace

std::unique_ptr<PreTokenizer> metaspace_pre_tokenizer(std::string replacement, PrependScheme scheme,
                                                      bool split) {
  return std::make_unique<Metaspace>(std::move(replacement), scheme, split);
}

}  // namespace hrt
