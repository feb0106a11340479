#include "sentencepiece_config.h"

#include <charconv>

#include "hrt/base/error.h"
#include "tokenizer_config.h"

namespace hrt {
namespace {

TokenId read_id(const JsonObject& tokens, const std::string& text) {
  TokenId id = kNoToken;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || id < 0 ||
      id > Vocabulary::kMaxId) {
    throw InputError("{} is no token id", escape_for_terminal(tokens.where(text)));
  }
  return id;
}

void read_added_tokens(const JsonObject& config, AddedTokenSet& added) {
  if (!config.has("added_tokens_decoder")) return;
  const JsonObject tokens = config.object("added_tokens_decoder");
  for (const auto& [key, fields] : tokens.raw().items()) {
    AddedToken token = AddedToken::read(tokens.object(key), read_id(tokens, key));
    token.normalized = false;  // there is no normalizer before the model's own
    added.add(token, token.content);
  }
}

}  // namespace

SentencePieceConfig read_sentencepiece_config(const std::filesystem::path& folder,
                                              const std::function<TokenId(const std::string&)>& id_of) {
  SentencePieceConfig result;
  const TokenizerConfig file(folder);
  if (!file.exists()) return result;
  const JsonObject config = file.values();
  result.add_bos = config.boolean("add_bos_token", true);
  result.add_eos = config.boolean("add_eos_token", false);
  result.legacy = config.boolean("legacy", true);
  result.add_prefix_space = config.boolean("add_prefix_space", true);
  result.bos = file.token("bos_token");
  result.eos = file.token("eos_token");
  read_added_tokens(config, result.added);
  // Configs of 2023 name the special tokens only here.
  for (const std::string key : {"bos_token", "eos_token", "unk_token", "pad_token"}) {
    const std::optional<std::string> content = file.token(key);
    if (!content || result.added.by_content(*content) != nullptr) continue;
    const TokenId id = id_of(*content);
    if (id == kNoToken)
      throw InputError("{}: \"{}\" is in no vocabulary", config.where(key), escape_for_terminal(*content));
    result.added.add({.id = id, .content = *content, .special = true}, *content);
  }
  return result;
}

}  // namespace hrt
