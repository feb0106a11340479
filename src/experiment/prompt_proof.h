#pragma once

#include "hrt/base/json.h"
#include "hrt/experiment/prompt_set.h"

namespace hrt {

// The first prompt with its text, tokens and positions, for people to check; null without prompts.
Json sample_proof(const PromptSet& set);

}  // namespace hrt
