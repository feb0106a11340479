#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "aligned_text.h"
#include "hrt/base/json.h"

namespace hrt {

// Text cut into pieces: ascending, disjoint ranges of it. No token crosses a cut.
struct Pieces {
  AlignedText text;
  std::vector<ByteSpan> pieces;
};

// Rebuilds text and pieces: `rewrite(from, piece, to)` appends what becomes of a piece.
template <typename Rewrite>
void rewrite_pieces(Pieces& pieces, Rewrite rewrite) {
  AlignedText to;
  to.reserve(pieces.text.text.size() + pieces.text.text.size() / 2);
  for (ByteSpan& piece : pieces.pieces) {
    const std::size_t begin = to.text.size();
    rewrite(pieces.text, piece, to);
    piece = {begin, to.text.size()};
  }
  pieces.text = std::move(to);
}

// Cuts pieces into smaller ones, or rewrites them. Each piece is treated on its own.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Pieces& pieces) const = 0;
  virtual std::string_view name() const = 0;
};

using PreTokenizers = std::vector<std::unique_ptr<PreTokenizer>>;

// tokenizer.json's "pre_tokenizer": ByteLevel, Digits, Metaspace, Split, Sequence. Throws InputError for
// others.
PreTokenizers read_pre_tokenizers(const JsonObject& file);

Pieces pre_tokenize(const PreTokenizers& steps, AlignedText text);

}  // namespace hrt
