#include "sentencepiece_config.h"

#include <charconv>

#include "hrt/base/error.h"

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

// A token is given as its text, or as an object with the text as `content`.
std::optional<std::string> read_token(const JsonObject& config, const std::string& key) {
  const Json* value = config.find(key);
  if (value == nullptr) return std::nullopt;
  return value->is_object() ? config.object(key).string("content") : config.string(key);
}

}  // namespace

SentencePieceConfig read_sentencepiece_config(const std::filesystem::path& folder,
                                              const std::function<TokenId(const std::string&)>& id_of) {
  SentencePieceConfig result;
  const std::filesystem::path file = folder / "tokenizer_config.json";
  if (!std::filesystem::exists(file)) return result;
  const Json json = read_json(file);
  const JsonObject config(json, file.string());
  result.add_bos = config.boolean("add_bos_token", true);
  result.add_eos = config.boolean("add_eos_token", false);
  result.legacy = config.boolean("legacy", true);
  result.add_prefix_space = config.boolean("add_prefix_space", true);
  result.bos = read_token(config, "bos_token");
  result.eos = read_token(config, "eos_token");
  read_added_tokens(config, result.added);
  // Configs of 2023 name the special tokens only here.
  for (const std::string key : {"bos_token", "eos_token", "unk_token", "pad_token"}) {
    const std::optional<std::string> content = read_token(config, key);
    if (!content || result.added.by_content(*content) != nullptr) continue;
    const TokenId id = id_of(*content);
    if (id == kNoToken)
      throw InputError("{}: \"{}\" is in no vocabulary", config.where(key), escape_for_terminal(*content));
    result.added.add({.id = id, .content = *content, .special = true}, *content);
  }
  return result;
}

}  // namespace hrt
