#pragma once

#include <filesystem>
#include <string>

#include "hrt/experiment/prompt_set.h"

namespace hrt {

// Leaves the prompts as they enter the model in a run's scratch, so that a resumed run can say which of them
// changed.
void keep_prompts(const std::filesystem::path& run, const PromptSet& set);

// How the prompts of the run in `run` differ from these: "12 before, 20 now; the first that differs is number
// 5 (a:5 before, b:1 now): /id". Where the run has kept none, the numbers are unknown and it says so.
std::string prompt_change(const std::filesystem::path& run, const PromptSet& now);

}  // namespace hrt
