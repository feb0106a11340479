#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "vocabulary.h"

namespace hrt {

// A token that is found in the text itself, before anything else is done to it.
struct AddedToken {
  TokenId id;
  std::string content;
  bool special = false;
  bool normalized = false;   // looked for in normalized text
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // and behind it
  bool single_word = false;  // only where no word character stands beside it

  // {"content": ..., "special": ..., ...}, as in tokenizer.json and in tokenizer_config.json.
  static AddedToken read(const JsonObject& fields, TokenId id);
};

// A stretch of text, and the added token that it is, if it is one.
struct Cut {
  ByteSpan span;
  const AddedToken* token = nullptr;
};

// Finds added tokens: at each place the longest one that may stand there. Linear in the text, times at most
// the length of the longest token.
class AddedTokenMatcher {
 public:
  // Whether the token may be recognised at a place.
  using Allowed = std::function<bool(const AddedToken& token, ByteSpan place)>;

  // `pattern` is what stands in the text: the content, normalized where the text is. An empty one is never
  // found. The token must outlive the matcher.
  void add(const AddedToken& token, std::string_view pattern);

  // Cuts the whole text into added tokens and non-empty stretches between them.
  std::vector<Cut> cut(std::string_view text, const Allowed& allowed) const;

 private:
  struct Node {
    std::unordered_map<char, std::uint32_t> children;
    const AddedToken* token = nullptr;
  };

  Cut longest_at(std::string_view text, std::size_t begin, const Allowed& allowed) const;

  std::vector<Node> nodes_ = std::vector<Node>(1);  // a trie; the first is its root
  std::array<bool, 256> begins_{};                  // bytes with which a token begins
};

}  // namespace hrt
