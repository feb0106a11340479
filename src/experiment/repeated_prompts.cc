#include "repeated_prompts.h"

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

}  // namespace hrt
