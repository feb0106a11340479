#include "prompt_change.h"

#include <fmt/format.h>

#include <algorithm>

#include "hrt/base/file.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

Json line_of(const PreparedPrompt& prompt, const PromptSet& set) {
  return prompt_line(prompt, set.specs, prompt.record.outcome.value_or(Outcome::kUnknown));
}

// A run that is complete has dropped its scratch, but has written its prompts with the outcomes it found.
std::vector<Json> lines_of(const fs::path& run) {
  for (const fs::path& file : {run / "work/prompts.jsonl", run / "prompts.jsonl"}) {
    if (!fs::exists(file)) continue;
    std::vector<Json> lines;
    const std::string text = read_file(file);
    for (const std::string& line : split(trim(text), '\n')) lines.push_back(parse_json(line, file.string()));
    return lines;
  }
  return {};
}

// What a run adds to the lines that it began with. `replies`: it put in the replies that it generated.
bool is_result(const std::string& key, bool replies) {
  return key == "outcome" || (replies && (key == "positions" || key == "reply_tokens"));
}

// The first key that differs, or nothing.
std::string changed_key(const Json& before, const Json& now) {
  const bool replies = before.contains("reply_tokens") && !now.contains("reply_tokens");
  for (const auto& [key, value] : now.items()) {
    if (!is_result(key, replies) && before.value(key, Json()) != value) return key;
  }
  for (const auto& [key, value] : before.items()) {
    if (!is_result(key, replies) && !now.contains(key)) return key;
  }
  return "";
}

std::string first_change(const std::vector<Json>& before, const PromptSet& now) {
  const std::size_t common = std::min(before.size(), now.prompts.size());
  for (std::size_t i = 0; i < common; ++i) {
    const Json line = line_of(now.prompts[i], now);
    const std::string key = changed_key(before[i], line);
    if (key.empty()) continue;
    return fmt::format("the first that differs, in its {}, is number {} ({} before, {} now)", key, i + 1,
                       before[i].value("id", ""), now.prompts[i].record.id);
  }
  if (before.size() != now.prompts.size()) return fmt::format("the first {} are the same", common);
  return "they differ in their outcomes";
}

}  // namespace

void keep_prompts(const fs::path& run, const PromptSet& set) {
  AtomicFile file(run / "work/prompts.jsonl");
  for (const PreparedPrompt& prompt : set.prompts) file.write(to_line(line_of(prompt, set)) + "\n");
  file.commit();
}

std::string prompt_change(const fs::path& run, const PromptSet& now) {
  const std::vector<Json> before = lines_of(run);
  if (before.empty()) return "the prompts changed";
  return fmt::format("the prompts changed: {} before, {} now; {}", before.size(), now.prompts.size(),
                     first_change(before, now));
}

}  // namespace hrt
