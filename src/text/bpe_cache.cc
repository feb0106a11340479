#include "bpe_cache.h"

namespace hrt {

const std::vector<PieceToken>& BpeCache::tokenize(std::string_view piece) {
  const bool is_word = piece.size() <= kMaxWordBytes;
  if (is_word) {
    if (const auto found = words_.find(piece); found != words_.end()) return found->second;
  }
  if (is_word && words_.size() < kMaxWords) {
    std::vector<PieceToken>& tokens = words_[std::string(piece)];
    bpe_.tokenize(piece, tokens);
    return tokens;
  }
  uncached_.clear();
  bpe_.tokenize(piece, uncached_);
  return uncached_;
}

}  // namespace hrt
