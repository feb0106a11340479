#include "hrt/experiment/repeated_prompts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "hrt/base/strings.h"

namespace hrt {
namespace {

enum class Kind { kOppositeLabels, kTwoSets, kOneSet };  // the worst first

// Which sets repeat each other, and how.
using Pair = std::tuple<Kind, std::string, std::string>;

struct Repeats {
  std::size_t prompts = 0;  // distinct ones
  std::string id_a;         // the first, as an example
  std::string id_b;
};

Pair pair_of(const PromptRecord& a, const PromptRecord& b) {
  const bool labels = a.label != Label::kNone && b.label != Label::kNone;
  if (labels && a.label != b.label) return {Kind::kOppositeLabels, a.set, b.set};
  return {a.set == b.set ? Kind::kOneSet : Kind::kTwoSets, a.set, b.set};
}

using Records = std::vector<const PromptRecord*>;

// The records of each prompt; of one set and label no more than the two that say it is there twice.
std::vector<Records> records_by_tokens(const PromptSet& set) {
  std::vector<Records> groups;
  std::unordered_map<std::string_view, std::size_t> group_of;
  for (const PreparedPrompt& prompt : set.prompts) {
    const std::vector<std::int64_t>& ids = prompt.prompt.ids;
    const std::string_view bytes(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof ids[0]);
    const auto [group, added] = group_of.emplace(bytes, groups.size());
    if (added) groups.emplace_back();
    Records& same = groups[group->second];
    const auto alike = std::ranges::count_if(same, [&](const PromptRecord* other) {
      return other->set == prompt.record.set && other->label == prompt.record.label;
    });
    if (alike < 2) same.push_back(&prompt.record);
  }
  return groups;
}

std::string sentence(const Pair& pair, const Repeats& repeats) {
  const auto& [kind, a, b] = pair;
  const std::string example = fmt::format("(such as {} and {})", repeats.id_a, repeats.id_b);
  const std::string sets = a == b ? a : fmt::format("{} and {}", a, b);
  const std::string count = fmt::format("{} of {} {}", counted(repeats.prompts, "prompt"), sets, example);
  switch (kind) {
    case Kind::kOppositeLabels:
      return fmt::format(
          "labelled both harmful and harmless: {}; one label must be wrong, and every direction mixes "
          "what it should part",
          count);
    case Kind::kTwoSets:
      return fmt::format("the same prompt in two sets: {}", count);
    case Kind::kOneSet:
      return fmt::format("the same prompt twice in a set: {}", count);
  }
  return count;
}

// The request itself, or the tokens of a prompt that is given by them.
std::string request_of(const PreparedPrompt& prompt) {
  const PromptRecord& record = prompt.record;
  if (record.instruction) return *record.instruction;
  const auto user = std::find_if(record.messages.rbegin(), record.messages.rend(),
                                 [](const Message& message) { return message.role == "user"; });
  return user != record.messages.rend() ? user->content : to_line(Json(prompt.prompt.ids));
}

}  // namespace

std::vector<std::string> describe_repeats(const PromptSet& set) {
  std::map<Pair, Repeats> found;
  for (const Records& same : records_by_tokens(set)) {
    std::set<Pair> pairs;  // of this prompt, which counts once
    for (std::size_t b = 1; b < same.size(); ++b) {
      for (std::size_t a = 0; a < b; ++a) {
        const Pair pair = pair_of(*same[a], *same[b]);
        if (!pairs.insert(pair).second) continue;
        Repeats& repeats = found[pair];
        if (repeats.prompts++ == 0) std::tie(repeats.id_a, repeats.id_b) = std::tie(same[a]->id, same[b]->id);
      }
    }
  }
  std::vector<std::string> sentences;
  for (const auto& [pair, repeats] : found) sentences.push_back(sentence(pair, repeats));
  return sentences;
}

std::vector<std::string> describe_shared(const PromptSet& steered, const PromptSet& extracted) {
  std::unordered_map<std::string, std::string> ids;  // by request
  for (const PreparedPrompt& prompt : extracted.prompts) ids.emplace(request_of(prompt), prompt.record.id);
  std::map<std::string, Repeats> shared;  // by set
  for (const PreparedPrompt& prompt : steered.prompts) {
    const auto same = ids.find(request_of(prompt));
    if (same == ids.end()) continue;
    Repeats& repeats = shared[prompt.record.set];
    if (repeats.prompts++ == 0) repeats = {1, prompt.record.id, same->second};
  }
  std::vector<std::string> sentences;
  for (const auto& [set, repeats] : shared) {
    sentences.push_back(
        fmt::format("steered by directions that they are part of: {} of {} (such as {}, there {}); what "
                    "steering does to them "
                    "need not hold for others",
                    counted(repeats.prompts, "prompt"), set, repeats.id_a, repeats.id_b));
  }
  return sentences;
}

}  // namespace hrt
