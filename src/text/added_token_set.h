#pragma once

#include <deque>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "added_tokens.h"
#include "aligned_text.h"
#include "plain_spans.h"

namespace hrt {

// The added tokens of a tokenizer, by id and by content, and where they stand in a text.
class AddedTokenSet {
 public:
  AddedTokenSet() = default;
  AddedTokenSet(AddedTokenSet&&) = default;
  AddedTokenSet& operator=(AddedTokenSet&&) = default;

  // `pattern` is the content as it stands in the text that is searched. A later token replaces an earlier
  // one.
  void add(AddedToken token, std::string_view pattern);

  // The first pass: raw text, tokens that are not `normalized`.
  std::vector<Cut> cut_raw(std::string_view text, const PlainSpans& plain) const;
  // The second: what is left of it, normalized.
  std::vector<Cut> cut_normalized(const AlignedText& text, const PlainSpans& plain) const;

  const AddedToken* by_id(std::int64_t id) const;  // nullptr when there is none
  const AddedToken* by_content(std::string_view content) const;
  const std::deque<AddedToken>& tokens() const { return tokens_; }
  std::size_t count() const { return tokens_.size(); }
  std::int64_t size() const { return size_; }  // largest id + 1

 private:
  std::deque<AddedToken> tokens_;  // never move in memory
  std::unordered_map<std::int64_t, const AddedToken*> by_id_;
  std::unordered_map<std::string_view, const AddedToken*> by_content_;
  AddedTokenMatcher raw_;
  AddedTokenMatcher normalized_;
  std::int64_t size_ = 0;
};

}  // namespace hrt
