#pragma once

#include <string>
#include <vector>

#include "hrt/probe/source.h"

namespace hrt {

// Prompts that are looked at together.
struct PromptGroup {
  std::string name;                  // the values joined: "refused_harmful"
  std::vector<std::size_t> prompts;  // their indices
};

struct PromptGroups {
  std::vector<PromptGroup> groups;
  std::size_t without = 0;  // prompts that lack one of the values
};

// Groups by what `by` names: label, outcome, or any field of prompts.jsonl (role, set, category, a field of
// the prompt file). ["outcome", "label"] are the quadrants. Refused before accepted, harmful before harmless,
// else in the order of the prompts. A prompt's role is its set where it has none. Throws InputError where no
// prompt has a value that `by` names.
PromptGroups group_prompts(const std::vector<ProbePrompt>& prompts, const std::vector<std::string>& by);

// "n: refused_harmful 120, ...; 3 prompts are in no group", a line for pages.
std::string describe_sizes(const PromptGroups& groups);

// Throws InputError, with the fields there are, where no prompt has a value for `by`.
void require_field(const std::vector<ProbePrompt>& prompts, const std::string& by);

// The value that a prompt is grouped by; empty where it has none.
std::string group_value(const ProbePrompt& prompt, const std::string& by);

}  // namespace hrt
