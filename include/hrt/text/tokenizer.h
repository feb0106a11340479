#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/strings.h"

namespace hrt {

struct Encoding {
  std::vector<std::int64_t> ids;
  std::vector<ByteSpan> spans;  // bytes of the encoded text; [0,0) for tokens that the post-processor added

  void add(std::int64_t id, ByteSpan span) {
    ids.push_back(id);
    spans.push_back(span);
  }
};

struct EncodeOptions {
  // Add what the post-processor adds (BOS).
  bool add_special = false;
  // In these spans of the text, special added tokens and `markers` are not recognised: they are plain text.
  std::vector<ByteSpan> plain = {};
  // Further added tokens that count as markers inside `plain` (those that the chat template writes).
  std::vector<std::string> markers = {};
};

// A tokenizer as the checkpoint's files define it. Immutable; safe to use from several threads.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // `text` must be valid UTF-8 of at most 1 GiB; throws InputError otherwise.
  virtual Encoding encode(std::string_view text, const EncodeOptions& options = {}) const = 0;
  // Ids outside the vocabulary are left out; bytes that are no UTF-8 become U+FFFD.
  virtual std::string decode(std::span<const std::int64_t> ids, bool skip_special) const = 0;

  // The token as the vocabulary spells it, or nothing when the id is unknown.
  virtual std::optional<std::string> piece(std::int64_t id) const = 0;
  virtual std::optional<std::int64_t> id_of(std::string_view piece) const = 0;
  virtual bool is_special(std::int64_t id) const = 0;
  // One more than the largest id.
  virtual std::int64_t size() const = 0;
  // The token that begins a sequence (tokenizer_config's bos_token, or the model's own), whether or not raw
  // text gets it.
  virtual std::optional<std::int64_t> bos() const = 0;
  // The BOS that raw text gets (post-processor, or add_bos_token), if any.
  virtual std::optional<std::int64_t> raw_bos() const = 0;
  // What it was read from and how, for `inspect`: "tokenizer.json: byte-level BPE, 49152 pieces, Digits +
  // ByteLevel".
  virtual std::string describe() const = 0;
};

// [begin, end) in code points of some text.
struct CodePointSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const CodePointSpan&) const = default;
};

// Byte spans of valid UTF-8 as spans of code points; an end inside a character counts that character in.
std::vector<CodePointSpan> code_point_spans(std::string_view text, const std::vector<ByteSpan>& spans);

// Opens the tokenizer of a checkpoint folder: tokenizer.json as it stands, else tokenizer.model with
// tokenizer_config.json's flags, else vocab.json and merges.txt as GPT-2 has them. `path` may also be one of
// these files. Throws InputError.
std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& path);

}  // namespace hrt
