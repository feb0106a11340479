#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "added_token_set.h"

namespace hrt {

// What tokenizer_config.json says about the tokenizer.model beside it; the defaults hold where it is absent.
// The meaning of the flags is that of transformers' LlamaTokenizer.
struct SentencePieceConfig {
  bool add_bos = true;
  bool add_eos = false;
  // Every stretch of text between added tokens gets the model's dummy prefix; otherwise the beginning of the
  // text alone gets one, and only with `add_prefix_space`.
  bool legacy = true;
  bool add_prefix_space = true;
  std::optional<std::string> bos;  // default: the model's
  std::optional<std::string> eos;
  AddedTokenSet added;  // empty without a config: then "<s>" in text is plain characters
};

// Reads tokenizer_config.json in `folder` if there is one. `id_of` looks a piece of the model up.
SentencePieceConfig read_sentencepiece_config(const std::filesystem::path& folder,
                                              const std::function<TokenId(const std::string&)>& id_of);

}  // namespace hrt
