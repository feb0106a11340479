#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

// One step from tokens back to text; what is left after the last one is joined.
class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;
  virtual std::vector<std::string> apply(std::vector<std::string> tokens) const = 0;
};

using TokenDecoders = std::vector<std::unique_ptr<TokenDecoder>>;

// tokenizer.json's "decoder": ByteFallback, ByteLevel, Fuse, Metaspace, Replace (of a string), Strip,
// Sequence. Throws InputError for others.
TokenDecoders read_token_decoders(const JsonObject& file);

// Without steps the tokens are joined by spaces, as the tokenizers library does.
std::string decode_tokens(const TokenDecoders& steps, std::vector<std::string> tokens);

}  // namespace hrt
