#include "merges_folder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/strings.h"
#include "tokenizer_config.h"
#include "vocabulary.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 28;
constexpr std::string_view kEndOfText = "<|endoftext|>";  // GPT-2's BOS, EOS and unknown token

bool are_mergeable(const std::vector<std::string>& pieces, const Vocabulary& vocabulary) {
  return vocabulary.find(pieces[0]) != kNoToken && vocabulary.find(pieces[1]) != kNoToken &&
         vocabulary.find(pieces[0] + pieces[1]) != kNoToken;
}

Json read_merges(const fs::path& file, const Vocabulary& vocabulary) {
  const std::string text = read_file(file, kMaxBytes);
  Json merges = Json::array();
  std::int64_t number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (find_invalid_utf8(line) != line.npos) throw InputError("{}:{}: not UTF-8", file.string(), number);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const std::vector<std::string> pieces = split(line, ' ');
    if (pieces.size() != 2 || pieces[0].empty() || pieces[1].empty())
      throw InputError("{}:{}: expected two pieces and a space between them", file.string(), number);
    if (!are_mergeable(pieces, vocabulary)) {
      throw InputError("{}:{}: both pieces of a merge and what they make must be in vocab.json",
                       file.string(), number);
    }
    merges.push_back(line);
  }
  return merges;
}

Json added_token(std::int64_t id, const Json& fields) {
  Json token = fields;
  token["id"] = id;
  return token;
}

Json special_token(std::int64_t id, std::string_view content) {
  return {{"id", id}, {"content", content}, {"special", true}, {"normalized", false}};
}

std::int64_t id_of_key(const std::string& key, const std::string& where) {
  std::int64_t id = -1;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc() || end != key.data() + key.size() || id < 0)
    throw InputError("{}: \"{}\" is no token id", where, escape_for_terminal(key));
  return id;
}

// Those of tokenizer_config.json (by id); older folders name only what the vocabulary has anyway.
Json added_tokens(const TokenizerConfig& config, const Vocabulary& vocabulary) {
  Json tokens = Json::array();
  if (config.values().has("added_tokens_decoder")) {
    const JsonObject decoder = config.values().object("added_tokens_decoder");
    for (const auto& [key, fields] : decoder.raw().items())
      tokens.push_back(
          added_token(id_of_key(key, decoder.where(key)), JsonObject(fields, decoder.where(key)).raw()));
    return tokens;
  }
  std::vector<std::string> names{std::string(kEndOfText)};
  for (const char* key : {"bos_token", "eos_token", "unk_token", "pad_token"}) {
    if (const auto name = config.token(key)) names.push_back(*name);
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : names) {
    if (const TokenId id = vocabulary.find(name); id != kNoToken) tokens.push_back(special_token(id, name));
  }
  return tokens;
}

// Only GPT-2's own classes cut text by ByteLevel's built-in pattern.
void check_class(const TokenizerConfig& config, const fs::path& folder) {
  static constexpr std::array kKnown{"GPT2Tokenizer", "GPT2TokenizerFast", "PreTrainedTokenizerFast"};
  const std::string name = config.values().string("tokenizer_class", kKnown[0]);
  if (std::ranges::find(kKnown, name) != kKnown.end()) return;
  throw InputError(
      "{}: how {} cuts text stands neither in vocab.json nor in merges.txt; save the tokenizer with "
      "transformers, "
      "which writes tokenizer.json",
      folder.string(), escape_for_terminal(name));
}

// What puts the BOS in front of raw text.
Json post_processor(const std::string& bos, const Vocabulary& vocabulary, const fs::path& folder) {
  const TokenId id = vocabulary.find(bos);
  if (id == kNoToken)
    throw InputError("{}: add_bos_token, but the vocabulary has no {}", folder.string(),
                     escape_for_terminal(bos));
  return {{"type", "TemplateProcessing"},
          {"single", {{{"SpecialToken", {{"id", bos}}}}, {{"Sequence", {{"id", "A"}}}}}},
          {"special_tokens", {{bos, {{"ids", Json::array({id})}}}}}};
}

}  // namespace

bool is_merges_folder(const fs::path& folder) {
  return fs::exists(folder / "vocab.json") && fs::exists(folder / "merges.txt");
}

Json read_merges_folder(const fs::path& folder) {
  const TokenizerConfig config(folder);
  check_class(config, folder);
  Json pieces = read_json(folder / "vocab.json", kMaxBytes);
  const Vocabulary vocabulary = Vocabulary::read(pieces, (folder / "vocab.json").string());
  const bool prefix_space = config.values().boolean("add_prefix_space", false);
  Json file{{"added_tokens", added_tokens(config, vocabulary)},
            {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", prefix_space}}},
            {"decoder", {{"type", "ByteLevel"}}}};
  if (config.values().boolean("add_bos_token", false)) {
    const std::string bos = config.token("bos_token").value_or(std::string(kEndOfText));
    file["post_processor"] = post_processor(bos, vocabulary, folder);
  }
  file["model"] = {{"type", "BPE"},
                   {"vocab", std::move(pieces)},
                   {"merges", read_merges(folder / "merges.txt", vocabulary)}};
  return file;
}

}  // namespace hrt
