#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "hrt/base/json.h"
#include "merge_table.h"
#include "vocabulary.h"

namespace hrt {

// A token and how many bytes of the piece it takes up.
struct PieceToken {
  TokenId id;
  std::size_t length;
};

// Byte pair encoding: characters, merged pair by pair, the pair of the smallest rank (of those, the leftmost)
// first.
class Bpe {
 public:
  // tokenizer.json's "model". Throws InputError for other models than BPE and for options that are not
  // supported.
  static Bpe read(const JsonObject& file);

  // Appends the tokens of a piece. Takes n log n steps, whatever the text. A character that is unknown, where
  // there is neither byte fallback nor an unknown token, vanishes, and the lengths with it.
  void tokenize(std::string_view piece, std::vector<PieceToken>& tokens) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  bool byte_fallback() const { return byte_fallback_; }

 private:
  Bpe(Vocabulary vocabulary, const Json& merges, const JsonObject& model);

  void add_characters(std::string_view piece, std::vector<PieceToken>& symbols) const;
  bool add_bytes(std::string_view character, std::vector<PieceToken>& symbols) const;

  Vocabulary vocabulary_;
  MergeTable merges_;
  std::array<TokenId, 0x800> short_characters_;  // ids of characters of one or two bytes, by code point
  std::array<TokenId, 256> byte_tokens_;         // ids of "<0x00>" to "<0xFF>"
  TokenId unknown_ = kNoToken;
  bool fuse_unknown_;
  bool byte_fallback_;
  bool ignore_merges_;
};

}  // namespace hrt
