#include "prompt_choice.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

// One entry of `harmful`, `harmless` or `prompts`, as far as a run still knows what it chose.
struct Entry {
  std::string field;  // "role" or "set"
  std::string name;
  Json where = Json::object();
  std::int64_t limit = 0;  // 0: all
};

Entry entry_of(const Json& source) {
  if (source.is_string()) return {"set", std::filesystem::path(source.get<std::string>()).stem().string()};
  Entry entry;
  entry.where = source.value("where", Json::object());
  entry.limit = source.value("limit", std::int64_t{0});
  entry.field = source.contains("role") || source.contains("as") ? "role" : "set";
  if (source.contains("as")) {
    entry.name = source.at("as").get<std::string>();
  } else if (source.contains("role")) {
    entry.name = source.at("role").get<std::string>();
  } else {
    entry.name = std::filesystem::path(source.at("file").get<std::string>()).stem().string();
  }
  return entry;
}

bool fits(const Entry& entry, const ProbePrompt& prompt) {
  if (prompt.fields.value(entry.field, Json()) != entry.name) return false;
  return std::ranges::all_of(entry.where.items(), [&](const auto& condition) {
    return prompt.fields.value(condition.key(), Json()) == condition.value();
  });
}

std::string names_there(const std::vector<ProbePrompt>& prompts, const std::string& field) {
  std::set<std::string> names;
  for (const ProbePrompt& prompt : prompts) names.insert(prompt.fields.value(field, ""));
  names.erase("");
  return names.empty() ? "none" : escape_for_terminal(join({names.begin(), names.end()}, ", "));
}

class Choice {
 public:
  Choice(const Json& config, const std::vector<ProbePrompt>& prompts) : config_(config), prompts_(prompts) {}

  bool names(const char* key) const { return config_.contains(key) && !config_.at(key).empty(); }

  // Marks the prompts that an entry of `key` fits.
  void mark(const char* key, std::vector<bool>& chosen) const {
    if (!names(key)) return;
    for (const Json& source : config_.at(key)) {
      const Entry entry = entry_of(source);
      std::int64_t count = 0;
      for (std::size_t i = 0; i < prompts_.size(); ++i) {
        if (!fits(entry, prompts_[i]) || (entry.limit > 0 && count == entry.limit)) continue;
        chosen[i] = true;
        ++count;
      }
      if (count == 0) {
        throw InputError("/{}: no prompt of the {} {} in the run ({}s there: {})", key, entry.field,
                         escape_for_terminal(entry.name), entry.field, names_there(prompts_, entry.field));
      }
    }
  }

 private:
  const Json& config_;
  const std::vector<ProbePrompt>& prompts_;
};

}  // namespace

std::vector<PromptUse> choose_prompts(const Json& config, const std::vector<ProbePrompt>& prompts,
                                      const std::vector<bool>& from_centroid_run) {
  const Choice choice(config, prompts);
  const bool own_run = std::ranges::find(from_centroid_run, true) != from_centroid_run.end();
  const bool names_centroids = choice.names("harmful") || choice.names("harmless");
  std::vector<bool> centroid(prompts.size(), !names_centroids);
  choice.mark("harmful", centroid);
  choice.mark("harmless", centroid);
  std::vector<bool> scored = names_centroids && !own_run ? centroid : std::vector<bool>(prompts.size(), true);
  if (choice.names("prompts")) {
    scored.assign(prompts.size(), false);
    choice.mark("prompts", scored);
  }
  std::vector<PromptUse> uses;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    uses.push_back({centroid[i] && (!own_run || from_centroid_run[i]),
                    scored[i] && (!own_run || !from_centroid_run[i])});
  }
  return uses;
}

}  // namespace hrt
