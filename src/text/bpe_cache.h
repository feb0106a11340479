#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bpe.h"

namespace hrt {

// Remembers the tokens of words for one call: in running text the same words come again and again. Bounded.
class BpeCache {
 public:
  explicit BpeCache(const Bpe& bpe) : bpe_(bpe) {}

  // Valid until the next call.
  const std::vector<PieceToken>& tokenize(std::string_view piece);

 private:
  static constexpr std::size_t kMaxWords = 1 << 16;
  static constexpr std::size_t kMaxWordBytes = 64;

  const Bpe& bpe_;
  std::unordered_map<std::string, std::vector<PieceToken>, StringHash, std::equal_to<>> words_;
  std::vector<PieceToken> uncached_;
};

}  // namespace hrt
