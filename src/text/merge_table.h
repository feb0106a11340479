#pragma once

#include <cstdint>
#include <vector>

#include "vocabulary.h"

namespace hrt {

// What becomes of two neighbouring tokens. A smaller rank merges first.
struct Merge {
  std::int32_t rank;
  TokenId result;
};

// Merges by their two tokens. Looked up several times for each character of the input, hence a flat table
// with open addressing instead of std::unordered_map (a third of its time).
class MergeTable {
 public:
  explicit MergeTable(std::size_t expected);

  // A pair that is there already is replaced. At most `expected` pairs.
  void insert(TokenId left, TokenId right, Merge merge);
  const Merge* find(TokenId left, TokenId right) const;  // nullptr when they do not merge

 private:
  struct Slot {
    std::uint64_t pair = kEmpty;
    Merge merge{};
  };
  static constexpr std::uint64_t kEmpty = ~std::uint64_t{0};  // ids are never negative

  std::size_t slot_of(std::uint64_t pair) const;

  std::vector<Slot> slots_;
  int shift_;
};

}  // namespace hrt
