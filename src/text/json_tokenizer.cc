#include "json_tokenizer.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "added_token_set.h"
#include "bpe.h"
#include "bpe_cache.h"
#include "hrt/base/error.h"
#include "merges_folder.h"
#include "normalizer.h"
#include "post_processor.h"
#include "pre_tokenizer.h"
#include "token_decoder.h"
#include "tokenizer_config.h"
#include "unicode_text.h"

namespace hrt {
namespace {

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 28;

AddedToken read_added_token(const JsonObject& fields, const Vocabulary& vocabulary) {
  const std::int64_t id = fields.integer("id");
  if (id < 0 || id > Vocabulary::kMaxId) throw InputError("{}: {} is no token id", fields.where("id"), id);
  const AddedToken token = AddedToken::read(fields, static_cast<TokenId>(id));
  const TokenId known = vocabulary.find(token.content);
  if (known != kNoToken && known != token.id) {
    throw InputError("{}: {} contradicts the vocabulary, which says {}", fields.where("id"), id, known);
  }
  return token;
}

class JsonTokenizer : public Tokenizer {
 public:
  JsonTokenizer(const JsonObject& file, const std::optional<std::string>& bos, std::string source)
      : source_(std::move(source)),
        bpe_(Bpe::read(file)),
        normalizers_(read_normalizers(file)),
        pre_tokenizers_(read_pre_tokenizers(file)),
        decoders_(read_token_decoders(file)),
        around_(read_post_processor(file)) {
    read_added_tokens(file);
    if (bos) bos_ = id_of(*bos);
  }

  Encoding encode(std::string_view text, const EncodeOptions& options) const override {
    require_utf8(text);
    const PlainSpans plain(options);
    BpeCache cache(bpe_);
    Encoding result;
    if (options.add_special) add_around(around_.before, result);
    for (const Cut& cut : added_.cut_raw(text, plain)) {
      if (cut.token != nullptr) {
        result.add(cut.token->id, cut.span);
      } else {
        encode_raw(text, cut.span, plain, cache, result);
      }
    }
    if (options.add_special) add_around(around_.after, result);
    return result;
  }

  std::string decode(std::span<const std::int64_t> ids, bool skip_special) const override {
    std::vector<std::string> tokens;
    for (const std::int64_t id : ids) {
      if (skip_special && is_special(id)) continue;
      if (std::optional<std::string> token = piece(id)) tokens.push_back(std::move(*token));
    }
    return decode_tokens(decoders_, std::move(tokens));
  }

  std::optional<std::string> piece(std::int64_t id) const override {
    if (const AddedToken* token = added_.by_id(id)) return token->content;
    const std::string* known = bpe_.vocabulary().piece(id);
    return known == nullptr ? std::nullopt : std::optional(*known);
  }

  std::optional<std::int64_t> id_of(std::string_view piece) const override {
    if (const AddedToken* token = added_.by_content(piece)) return token->id;
    const TokenId id = bpe_.vocabulary().find(piece);
    return id == kNoToken ? std::nullopt : std::optional<std::int64_t>(id);
  }

  bool is_special(std::int64_t id) const override {
    const AddedToken* token = added_.by_id(id);
    return token != nullptr && token->special;
  }

  std::int64_t size() const override { return std::max(bpe_.vocabulary().size(), added_.size()); }

  std::optional<std::int64_t> bos() const override { return bos_ ? bos_ : raw_bos(); }

  std::optional<std::int64_t> raw_bos() const override {
    return around_.before.empty() ? std::nullopt : std::optional<std::int64_t>(around_.before.front());
  }

  std::string describe() const override {
    std::vector<std::string_view> steps;
    for (const auto& step : normalizers_) steps.push_back(step->name());
    for (const auto& step : pre_tokenizers_) steps.push_back(step->name());
    return fmt::format("{}: {} BPE, {} pieces, {} added{}{}", source_,
                       bpe_.byte_fallback() ? "sentencepiece-style" : "byte-level", bpe_.vocabulary().count(),
                       added_.count(), steps.empty() ? "" : ", ", fmt::join(steps, " + "));
  }

 private:
  void read_added_tokens(const JsonObject& file) {
    const Json* added = file.find("added_tokens");
    if (added == nullptr) return;
    if (!added->is_array()) throw InputError("{} must be an array", file.where("added_tokens"));
    for (std::size_t i = 0; i < added->size(); ++i) {
      add_token(JsonObject((*added)[i], file.origin(), fmt::format("/added_tokens/{}", i)));
    }
  }

  void add_token(const JsonObject& fields) {
    AddedToken token = read_added_token(fields, bpe_.vocabulary());
    const std::string pattern =
        token.normalized ? normalize(normalizers_, AlignedText::of(token.content, 0)).text : token.content;
    added_.add(std::move(token), pattern);
  }

  static void add_around(const std::vector<TokenId>& ids, Encoding& result) {
    for (const TokenId id : ids) result.add(id, {0, 0});
  }

  // text[span], which holds no added token that is looked for in raw text.
  void encode_raw(std::string_view text, ByteSpan span, const PlainSpans& plain, BpeCache& cache,
                  Encoding& result) const {
    const AlignedText normal =
        normalize(normalizers_, AlignedText::of(text.substr(span.begin, span.size()), span.begin));
    for (const Cut& cut : added_.cut_normalized(normal, plain)) {
      if (cut.token != nullptr) {
        result.add(cut.token->id, normal.span_of(cut.span));
      } else {
        AlignedText stretch;
        stretch.append(normal, cut.span);
        encode_normal(std::move(stretch), cache, result);
      }
    }
  }

  void encode_normal(AlignedText text, BpeCache& cache, Encoding& result) const {
    const Pieces pieces = pre_tokenize(pre_tokenizers_, std::move(text));
    for (const ByteSpan& piece : pieces.pieces) {
      const std::string_view bytes = std::string_view(pieces.text.text).substr(piece.begin, piece.size());
      std::size_t at = piece.begin;
      for (const PieceToken& token : cache.tokenize(bytes)) {
        result.add(token.id, pieces.text.span_of({at, at + token.length}));
        at += token.length;
      }
    }
  }

  std::string source_;
  Bpe bpe_;
  Normalizers normalizers_;
  PreTokenizers pre_tokenizers_;
  TokenDecoders decoders_;
  PostProcessor around_;
  AddedTokenSet added_;
  std::optional<std::int64_t> bos_;
};

}  // namespace

std::unique_ptr<Tokenizer> open_json_tokenizer(const std::filesystem::path& file) {
  const Json json = read_json(file, kMaxFileBytes);
  const std::optional<std::string> bos = TokenizerConfig(file.parent_path()).token("bos_token");
  return std::make_unique<JsonTokenizer>(JsonObject(json, file.string()), bos, "tokenizer.json");
}

std::unique_ptr<Tokenizer> open_merges_tokenizer(const std::filesystem::path& folder) {
  const Json json = read_merges_folder(folder);
  const std::optional<std::string> bos = TokenizerConfig(folder).token("bos_token");
  return std::make_unique<JsonTokenizer>(JsonObject(json, folder.string()), bos, "vocab.json, merges.txt");
}

}  // namespace hrt
