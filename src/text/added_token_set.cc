#include "added_token_set.h"

#include <algorithm>

namespace hrt {

void AddedTokenSet::add(AddedToken token, std::string_view pattern) {
  const AddedToken& kept = tokens_.emplace_back(std::move(token));
  by_id_[kept.id] = &kept;
  by_content_.insert_or_assign(kept.content, &kept);
  (kept.normalized ? normalized_ : raw_).add(kept, pattern);
  size_ = std::max(size_, std::int64_t{kept.id} + 1);
}

std::vector<Cut> AddedTokenSet::cut_raw(std::string_view text, const PlainSpans& plain) const {
  return raw_.cut(text, [&](const AddedToken& token, ByteSpan place) { return plain.allows(token, place); });
}

std::vector<Cut> AddedTokenSet::cut_normalized(const AlignedText& text, const PlainSpans& plain) const {
  return normalized_.cut(text.text, [&](const AddedToken& token, ByteSpan place) {
    return plain.allows(token, text.span_of(place));
  });
}

const AddedToken* AddedTokenSet::by_id(std::int64_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

const AddedToken* AddedTokenSet::by_content(std::string_view content) const {
  const auto found = by_content_.find(content);
  return found == by_content_.end() ? nullptr : found->second;
}

}  // namespace hrt
