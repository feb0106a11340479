#pragma once

#include <string>
#include <vector>

#include "hrt/probe/source.h"
#include "prompt_choice.h"

namespace hrt {

// The scored prompts whose text stands, under another id, among those that make the centroids: how many, in a
// sentence; empty where there are none.
std::string describe_overlap(const std::vector<ProbePrompt>& prompts, const std::vector<PromptUse>& uses);

}  // namespace hrt
