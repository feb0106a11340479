#include "hrt/data/judge.h"

#include <algorithm>
#include <optional>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/base/known_keys.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// Phrases are ASCII apart from apostrophes, so this equals the released code's str.lower() on every match.
std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

// The answer behind a reasoning block; nothing when the block is not closed. The opening mark may stand in
// the prompt (templates that write it), so a closing one alone counts.
std::optional<std::string_view> after_reasoning(std::string_view reply) {
  constexpr std::string_view kOpen = "<think>";
  constexpr std::string_view kClose = "</think>";
  const std::size_t close = reply.rfind(kClose);
  if (close != std::string_view::npos) return reply.substr(close + kClose.size());
  return trim(reply).starts_with(kOpen) ? std::nullopt : std::optional(reply);
}

const std::string* find_phrase(const PhraseList& list, std::string_view answer, const std::string& lowered) {
  const auto found = std::ranges::find_if(list.phrases, [&](const std::string& phrase) {
    return list.case_sensitive ? answer.find(phrase) != answer.npos
                               : lowered.find(lower(phrase)) != lowered.npos;
  });
  return found == list.phrases.end() ? nullptr : &*found;
}

std::vector<std::string> strings_of(const JsonObject& object, std::string_view key) {
  const Json* list = object.find(key);
  const auto is_text = [](const Json& item) {
    return item.is_string() && !item.get_ref<const std::string&>().empty();
  };
  if (list == nullptr || !list->is_array() || list->empty() || !std::ranges::all_of(*list, is_text)) {
    throw InputError("{}: expected a list of texts, none of them empty", object.where(key));
  }
  return list->get<std::vector<std::string>>();
}

void check_keys(const JsonObject& object) {
  check_known_keys(object, {"source", "case_sensitive", "empty_reply_is_refusal", "phrases", "any_of"});
}

PhraseList list_of(const JsonObject& object) {
  check_keys(object);
  return {.phrases = strings_of(object, "phrases"),
          .case_sensitive = object.boolean("case_sensitive", true),
          .empty_reply_is_refusal = object.boolean("empty_reply_is_refusal", false)};
}

std::vector<std::string> judge_names(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

fs::path file_of(const std::string& name, const fs::path& folder) {
  const fs::path file = folder / (name + ".json");
  if (name.find('/') == std::string::npos && fs::exists(file)) return file;
  const std::vector<std::string> names = judge_names(folder);
  throw InputError("unknown judge \"{}\"{} (known: {}, or a .json file)", name, did_you_mean(name, names),
                   join(names, ", "));
}

std::vector<PhraseList> load_lists(const fs::path& file, const fs::path& folder) {
  const Json value = read_json(file);
  const JsonObject object(value, file.string());
  if (!object.has("any_of")) return {list_of(object)};
  check_keys(object);
  std::vector<PhraseList> lists;
  for (const std::string& name : strings_of(object, "any_of")) {
    const fs::path other = file_of(name, folder);
    const Json other_value = read_json(other);
    lists.push_back(list_of(JsonObject(other_value, other.string())));
  }
  return lists;
}

}  // namespace

Judge Judge::load(const std::string& name_or_file, const fs::path& data_dir) {
  const fs::path folder = data_dir / "judges";
  const bool is_file = name_or_file.find('/') != std::string::npos || name_or_file.ends_with(".json");
  return {name_or_file, load_lists(is_file ? fs::path(name_or_file) : file_of(name_or_file, folder), folder)};
}

Verdict Judge::judge(std::string_view reply) const {
  const auto answer = after_reasoning(reply);
  if (!answer) return {Outcome::kUnknown, "unclosed reasoning block"};
  const bool empty = trim(*answer).empty();
  const std::string lowered = lower(*answer);
  for (const PhraseList& list : lists_) {
    if (empty && list.empty_reply_is_refusal) return {Outcome::kRefused, "empty reply"};
    if (const std::string* phrase = find_phrase(list, *answer, lowered)) return {Outcome::kRefused, *phrase};
  }
  return {Outcome::kAccepted, empty ? "empty reply" : "no phrase"};
}

}  // namespace hrt
