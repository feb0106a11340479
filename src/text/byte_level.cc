#include "byte_level.h"

#include "byte_alphabet.h"
#include "pattern.h"
#include "split.h"

namespace hrt {
namespace {

constexpr std::string_view kGpt2Expression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

void add_prefix_space(const AlignedText& from, ByteSpan piece, AlignedText& to) {
  if (!piece.empty() && from.text[piece.begin] != ' ') to.append(" ", from.origin[piece.begin]);
  to.append(from, piece);
}

void write_bytes(const AlignedText& from, ByteSpan piece, AlignedText& to) {
  for (std::size_t at = piece.begin; at < piece.end; ++at) {
    to.append(byte_to_alphabet(static_cast<unsigned char>(from.text[at])), from.origin[at]);
  }
}

class ByteLevel : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex) : add_prefix_space_(add_prefix_space) {
    if (use_regex) regex_ = regex_pattern(kGpt2Expression, "GPT-2's expression");
  }

  void apply(Pieces& pieces) const override {
    if (add_prefix_space_) rewrite_pieces(pieces, add_prefix_space);
    if (regex_) {
      const std::vector<ByteSpan> matches = regex_->find(pieces.text.text, pieces.pieces);
      pieces.pieces = split_pieces(pieces.pieces, matches, SplitBehavior::kIsolated);
    }
    rewrite_pieces(pieces, write_bytes);
  }
  std::string_view name() const override { return "ByteLevel"; }

 private:
  bool add_prefix_space_;
  std::unique_ptr<Pattern> regex_;
};

}  // namespace

std::unique_ptr<PreTokenizer> byte_level_pre_tokenizer(bool add_prefix_space, bool use_regex) {
  return std::make_unique<ByteLevel>(add_prefix_space, use_regex);
}

}  // namespace hrt
