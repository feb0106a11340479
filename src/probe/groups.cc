#include "hrt/probe/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

// Places of values in the order of groups; new ones come last.
class Ranks {
 public:
  std::size_t of(const std::string& value) { return ranks_.emplace(value, ranks_.size()).first->second; }

 private:
  std::map<std::string, std::size_t> ranks_{{"refused", 0}, {"accepted", 1}, {"harmful", 2}, {"harmless", 3}};
};

}  // namespace

std::string group_value(const ProbePrompt& prompt, const std::string& by) {
  if (by == "label") return std::string(label_name(prompt.label));
  if (by == "outcome")
    return prompt.outcome == Outcome::kUnknown ? "" : std::string(outcome_name(prompt.outcome));
  const auto field = prompt.fields.find(by == "role" && !prompt.fields.contains("role") ? "set" : by);
  if (field == prompt.fields.end() || field->is_null()) return "";
  if (field->is_boolean()) return fmt::format("{}{}", field->get<bool>() ? "" : "not ", by);
  return field->is_string() ? field->get<std::string>() : to_line(*field);
}

void require_field(const std::vector<ProbePrompt>& prompts, const std::string& by) {
  if (std::ranges::any_of(prompts, [&](const ProbePrompt& p) { return !group_value(p, by).empty(); })) return;
  std::set<std::string> names{"label", "outcome", "role"};
  for (const ProbePrompt& prompt : prompts) {
    for (const auto& [name, value] : prompt.fields.items()) {
      if (!value.is_structured()) names.insert(name);
    }
  }
  const std::vector<std::string> list(names.begin(), names.end());
  throw InputError("none of the {} has a value for \"{}\"{} (fields: {})", counted(prompts.size(), "prompt"),
                   escape_for_terminal(by), did_you_mean(by, list), escape_for_terminal(join(list, ", ")));
}

PromptGroups group_prompts(const std::vector<ProbePrompt>& prompts, const std::vector<std::string>& by) {
  for (const std::string& name : by) require_field(prompts, name);
  PromptGroups result;
  // Sorted by the last value first: harmful quadrants stand before harmless ones.
  std::map<std::vector<std::size_t>, PromptGroup> groups;
  Ranks ranks;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    std::vector<std::string> values;
    for (const std::string& name : by) values.push_back(group_value(prompts[i], name));
    if (std::ranges::find(values, "") != values.end()) {
      ++result.without;
      continue;
    }
    std::vector<std::size_t> place;
    for (const std::string& value : values) place.push_back(ranks.of(value));
    std::ranges::reverse(place);
    PromptGroup& group = groups[place];
    group.name = join(values, "_");
    group.prompts.push_back(i);
  }
  for (auto& [place, group] : groups) result.groups.push_back(std::move(group));
  return result;
}

std::string describe_sizes(const PromptGroups& groups) {
  std::vector<std::string> sizes;
  for (const PromptGroup& group : groups.groups)
    sizes.push_back(fmt::format("{} {}", escape_for_terminal(group.name), group.prompts.size()));
  if (groups.without > 0) sizes.push_back(fmt::format("in no group {}", groups.without));
  std::string text = "n:";
  std::size_t begin = 0;  // of the line
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string size = sizes[i] + (i + 1 < sizes.size() ? "," : "");
    if (text.size() - begin + 1 + size.size() > kPageWidth) {
      text += "\n  ";
      begin = text.size() - 2;
    }
    text += " " + size;
  }
  return text + "\n";
}

}  // namespace hrt
