#include "sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "sentencepiece_config.h"
#include "unicode_text.h"

namespace hrt {
namespace {

using Processor = sentencepiece::SentencePieceProcessor;

constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 28;

// In protocol buffers a later occurrence of a message is merged into an earlier one. So these bytes at the
// end of a serialized model set ModelProto.normalizer_spec (field 3) .add_dummy_prefix (field 3), whatever it
// was before.
constexpr std::string_view kNoDummyPrefix("\x1a\x02\x18\x00", 4);
constexpr std::string_view kDummyPrefix("\x1a\x02\x18\x01", 4);

// The library's words, without the place in its source that stands before some:
// "./src/FILE.cc(LINE) [CONDITION] ".
std::string words_of(std::string_view message) {
  constexpr std::string_view kEnd = "] ";
  if (const auto place = message.find(".cc("); place != std::string_view::npos) {
    const auto end = message.find(kEnd, place);
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + kEnd.size());
  }
  return escape_for_terminal(trim(message));
}

// Why the library does not take a model; nothing where it does. Of some it throws: a piece that begins with a
// zero byte.
std::optional<std::string> refusal(Processor& processor, const std::string& model) {
  try {
    const auto status = processor.LoadFromSerializedProto(model);
    if (status.ok()) return std::nullopt;
    return words_of(status.message());
  } catch (const std::exception& error) {
    return words_of(error.what());
  }
}

void load(Processor& processor, const std::string& model, const std::string& name) {
  const auto reason = refusal(processor, model);
  if (!reason) return;
  throw InputError("{}: not a sentencepiece model{}{}", name, reason->empty() ? "" : ": ", *reason);
}

TokenId find_piece(const Processor& processor, std::string_view piece) {
  const int id = processor.PieceToId(piece);  // the unknown token's where there is none
  return id >= 0 && processor.IdToPiece(id) == piece ? id : kNoToken;
}

std::string_view prefix_setting(const SentencePieceConfig& config) {
  if (config.legacy) return "";
  return config.add_prefix_space ? kDummyPrefix : kNoDummyPrefix;
}

class SentencePieceTokenizer : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(const std::filesystem::path& file) {
    const std::string model = read_file(file, kMaxFileBytes);
    load(following_, model + std::string(kNoDummyPrefix), file.string());
    config_ = read_sentencepiece_config(
        file.parent_path(), [this](const std::string& piece) { return find_piece(following_, piece); });
    load(leading_, model + std::string(prefix_setting(config_)), file.string());
    bos_ = end_token(config_.bos, leading_.bos_id());
    if (config_.add_bos) leading_bos_ = bos_;
    if (config_.add_eos) eos_ = end_token(config_.eos, leading_.eos_id());
    template_tokens_ = with_control_pieces(config_.added);
  }

  Encoding encode(std::string_view text, const EncodeOptions& options) const override {
    require_utf8(text);
    const PlainSpans plain(options);
    Encoding result;
    if (options.add_special && leading_bos_) result.add(*leading_bos_, {0, 0});
    const AddedTokenSet& added = options.markers.empty() ? config_.added : template_tokens_;
    for (const Cut& cut : added.cut_raw(text, plain)) {
      if (cut.token != nullptr) {
        result.add(cut.token->id, cut.span);
      } else {
        encode_stretch(text, cut.span, break_points(text, cut.span, plain, options.markers), result);
      }
    }
    if (options.add_special && eos_) result.add(*eos_, {0, 0});
    return result;
  }

  std::string decode(std::span<const std::int64_t> ids, bool skip_special) const override {
    std::string text;
    std::vector<int> run;
    for (const std::int64_t id : ids) {
      if (skip_special && is_special(id)) continue;
      if (const AddedToken* token = config_.added.by_id(id)) {
        decode_run(run, text);
        text += token->content;
      } else if (id >= 0 && id < leading_.GetPieceSize()) {
        run.push_back(static_cast<int>(id));
      }
    }
    decode_run(run, text);
    return text;
  }

  std::optional<std::string> piece(std::int64_t id) const override {
    if (const AddedToken* token = config_.added.by_id(id)) return token->content;
    if (id < 0 || id >= leading_.GetPieceSize()) return std::nullopt;
    return leading_.IdToPiece(static_cast<int>(id));
  }

  std::optional<std::int64_t> id_of(std::string_view piece) const override {
    if (const AddedToken* token = config_.added.by_content(piece)) return token->id;
    const TokenId id = find_piece(leading_, piece);
    return id == kNoToken ? std::nullopt : std::optional<std::int64_t>(id);
  }

  bool is_special(std::int64_t id) const override {
    if (const AddedToken* token = config_.added.by_id(id)) return token->special;
    return id >= 0 && id < leading_.GetPieceSize() && leading_.IsControl(static_cast<int>(id));
  }

  std::int64_t size() const override {
    return std::max<std::int64_t>(leading_.GetPieceSize(), config_.added.size());
  }
  std::optional<std::int64_t> bos() const override { return bos_; }
  std::optional<std::int64_t> raw_bos() const override { return leading_bos_; }

  std::string describe() const override {
    return fmt::format("tokenizer.model: sentencepiece, {} pieces, {} added, {}", leading_.GetPieceSize(),
                       config_.added.count(), config_.legacy ? "legacy" : "not legacy");
  }

 private:
  std::optional<std::int64_t> end_token(const std::optional<std::string>& name, int of_model) const {
    if (name) return id_of(*name);
    return of_model < 0 ? std::nullopt : std::optional<std::int64_t>(of_model);
  }

  // The library reads "<s>" in text as plain characters. What a template writes means the token, also where
  // no tokenizer_config.json lists it.
  AddedTokenSet with_control_pieces(const AddedTokenSet& configured) const {
    AddedTokenSet added;
    for (const AddedToken& token : configured.tokens()) added.add(token, token.content);
    for (int id = 0; id < leading_.GetPieceSize(); ++id) {
      const std::string& piece = leading_.IdToPiece(id);
      if (!leading_.IsControl(id) || added.by_content(piece) != nullptr) continue;
      added.add({.id = id, .content = piece, .special = true}, piece);
    }
    return added;
  }

  // The library finds user-defined pieces by itself. Where one that is a marker stands in plain text, the
  // text is broken behind the marker's first character. Ascending.
  std::vector<std::size_t> break_points(std::string_view text, ByteSpan stretch, const PlainSpans& plain,
                                        const std::vector<std::string>& markers) const {
    std::vector<std::size_t> result;
    if (plain.empty()) return result;
    const auto add = [&](const std::string& marker) {
      for (std::size_t at = text.find(marker, stretch.begin); at < stretch.end;
           at = text.find(marker, at + 1)) {
        const bool breaks = plain.overlaps({at, at + marker.size()}) && found_by_library(marker);
        if (breaks) result.push_back(at + char_length(marker[0]));
      }
    };
    for (const AddedToken& token : config_.added.tokens()) {
      if (token.special) add(token.content);
    }
    for (const std::string& marker : markers) add(marker);
    std::sort(result.begin(), result.end());
    return result;
  }

  bool found_by_library(const std::string& marker) const {
    if (marker.size() == char_length(marker[0])) return false;  // nothing to break
    std::vector<int> ids;
    return following_.Encode(marker, &ids).ok() && ids.size() == 1 && following_.IdToPiece(ids[0]) == marker;
  }

  void encode_stretch(std::string_view text, ByteSpan stretch, std::vector<std::size_t> breaks,
                      Encoding& result) const {
    const Processor* processor = config_.legacy || stretch.begin == 0 ? &leading_ : &following_;
    breaks.push_back(stretch.end);
    std::size_t begin = stretch.begin;
    for (const std::size_t end : breaks) {
      if (begin < end) encode_by_library(*processor, text, {begin, end}, result);
      processor = &following_;
      begin = end;
    }
  }

  static void encode_by_library(const Processor& processor, std::string_view text, ByteSpan span,
                                Encoding& result) {
    const auto pieces = processor.EncodeAsImmutableProto(text.substr(span.begin, span.size()));
    for (const auto& piece : pieces.pieces()) {
      result.add(piece.id(), {span.begin + piece.begin(), span.begin + piece.end()});
    }
  }

  void decode_run(std::vector<int>& run, std::string& text) const {
    std::string decoded;
    const auto status = (config_.legacy || text.empty() ? leading_ : following_).Decode(run, &decoded);
    if (!status.ok()) throw RunError("sentencepiece cannot decode: {}", words_of(status.message()));
    text += decoded;
    run.clear();
  }

  Processor leading_;    // for stretches that may get the dummy prefix
  Processor following_;  // for the others
  SentencePieceConfig config_;
  AddedTokenSet template_tokens_;
  std::optional<std::int64_t> bos_;
  std::optional<std::int64_t> leading_bos_;  // what raw text gets
  std::optional<std::int64_t> eos_;
};

}  // namespace

std::unique_ptr<Tokenizer> open_sentencepiece_tokenizer(const std::filesystem::path& file) {
  return std::make_unique<SentencePieceTokenizer>(file);
}

}  // namespace hrt
