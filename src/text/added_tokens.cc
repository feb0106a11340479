#include "added_tokens.h"

#include <algorithm>

#include "unicode_text.h"

namespace hrt {
namespace {

std::size_t start_of_last_char(std::string_view text) {
  std::size_t at = text.size() - 1;
  while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

bool ends_with_word(std::string_view text) {
  return !text.empty() && is_word(code_point_at(text, start_of_last_char(text)));
}

bool begins_with_word(std::string_view text) { return !text.empty() && is_word(code_point_at(text, 0)); }

bool fits(std::string_view text, const Cut& match) {
  if (!match.token->single_word) return true;
  return !ends_with_word(text.substr(0, match.span.begin)) && !begins_with_word(text.substr(match.span.end));
}

// The match with the white space that it takes; nothing before `from` is free.
ByteSpan stretched(std::string_view text, const Cut& match, std::size_t from) {
  ByteSpan span = match.span;
  while (match.token->lstrip && span.begin > from) {
    const std::size_t last = start_of_last_char(text.substr(0, span.begin));
    if (!is_white_space(code_point_at(text, last))) break;
    span.begin = last;
  }
  while (match.token->rstrip && span.end < text.size() && is_white_space(code_point_at(text, span.end))) {
    span.end += char_length(text[span.end]);
  }
  return span;
}

}  // namespace

AddedToken AddedToken::read(const JsonObject& fields, TokenId id) {
  AddedToken token{id, fields.string("content")};
  token.special = fields.boolean("special", false);
  token.normalized = fields.boolean("normalized", !token.special);
  token.lstrip = fields.boolean("lstrip", false);
  token.rstrip = fields.boolean("rstrip", false);
  token.single_word = fields.boolean("single_word", false);
  return token;
}

void AddedTokenMatcher::add(const AddedToken& token, std::string_view pattern) {
  if (pattern.empty()) return;
  begins_[static_cast<unsigned char>(pattern[0])] = true;
  std::uint32_t node = 0;
  for (const char byte : pattern) {
    const auto [child, is_new] =
        nodes_[node].children.emplace(byte, static_cast<std::uint32_t>(nodes_.size()));
    node = child->second;
    if (is_new) nodes_.emplace_back();
  }
  nodes_[node].token = &token;
}

std::vector<Cut> AddedTokenMatcher::cut(std::string_view text, const Allowed& allowed) const {
  std::vector<Cut> cuts;
  std::size_t from = 0;  // end of the last token
  for (std::size_t at = 0; at < text.size();) {
    const Cut match = longest_at(text, at, allowed);
    at = match.token != nullptr ? match.span.end : at + 1;
    if (match.token == nullptr || !fits(text, match)) continue;
    const ByteSpan span = stretched(text, match, from);
    if (from < span.begin) cuts.push_back({{from, span.begin}});
    cuts.push_back({span, match.token});
    from = at = span.end;
  }
  if (from < text.size()) cuts.push_back({{from, text.size()}});
  return cuts;
}

Cut AddedTokenMatcher::longest_at(std::string_view text, std::size_t begin, const Allowed& allowed) const {
  Cut longest;
  if (!begins_[static_cast<unsigned char>(text[begin])]) return longest;
  const Node* node = &nodes_[0];
  for (std::size_t end = begin; end < text.size();) {
    const auto child = node->children.find(text[end]);
    if (child == node->children.end()) break;
    node = &nodes_[child->second];
    ++end;
    if (node->token != nullptr && allowed(*node->token, {begin, end})) longest = {{begin, end}, node->token};
  }
  return longest;
}

}  // namespace hrt
