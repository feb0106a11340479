#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "hrt/text/tokenizer.h"

namespace hrt {

// Takes the longest of its pieces at each place, else one byte. Pieces in <...> are special.
class FakeTokenizer : public Tokenizer {
 public:
  explicit FakeTokenizer(std::vector<std::string> pieces, std::optional<std::int64_t> bos = {})
      : pieces_(std::move(pieces)), bos_(bos) {}

  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const override {
    Encoding encoding;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = longest(text, at, options);
      encoding.ids.push_back(size == 0 ? byte_id(text[at]) : *id_of(text.substr(at, size)));
      encoding.spans.push_back({at, at + std::max<std::size_t>(size, 1)});
      at = encoding.spans.back().end;
    }
    return encoding;
  }
  std::string decode(std::span<const std::int64_t>, bool) const override { return {}; }
  std::optional<std::string> piece(std::int64_t) const override { return std::nullopt; }
  std::optional<std::int64_t> id_of(std::string_view piece) const override {
    const auto found = std::find(pieces_.begin(), pieces_.end(), piece);
    if (found == pieces_.end()) return std::nullopt;
    return found - pieces_.begin();
  }
  bool is_special(std::int64_t) const override { return false; }
  std::int64_t size() const override { return byte_id('\xff') + 1; }
  std::optional<std::int64_t> bos() const override { return bos_; }
  std::optional<std::int64_t> raw_bos() const override { return bos_; }
  std::string describe() const override { return "fake"; }

  static std::int64_t byte_id(char c) { return 1000 + static_cast<unsigned char>(c); }

 private:
  std::size_t longest(std::string_view text, std::size_t at, const EncodeOptions& options) const {
    const bool plain = std::any_of(options.plain.begin(), options.plain.end(),
                                   [at](const ByteSpan& span) { return at >= span.begin && at < span.end; });
    std::size_t best = 0;
    for (const std::string& piece : pieces_) {
      if (plain && piece.starts_with('<')) continue;
      if (piece.size() > best && text.substr(at).starts_with(piece)) best = piece.size();
    }
    return best;
  }

  std::vector<std::string> pieces_;
  std::optional<std::int64_t> bos_;
};

}  // namespace hrt
