#pragma once

#include <string>
#include <vector>

#include "hrt/experiment/prompt_set.h"

namespace hrt {

// What to say about prompts that stand more than once in a run: in one set, in two, or with opposite labels.
// The same prompt is the same token ids. One line a kind and pair of sets, with the number of prompts and an
// example.
std::vector<std::string> describe_repeats(const PromptSet& set);
// What to say about prompts that are steered by directions that they are themselves part of: one line a set
// of `steered`. The same instruction counts, whatever stands around it.
std::vector<std::string> describe_shared(const PromptSet& steered, const PromptSet& extracted);

}  // namespace hrt
