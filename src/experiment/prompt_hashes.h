#pragma once

#include "hrt/base/json.h"
#include "hrt/experiment/prompt_set.h"

namespace hrt {

// Number and hash of each set's prompts as they enter the model, so that file, field, filter, limit and template
// count: {SET: {"prompts", "sha256"}}.
Json prompt_hashes(const PromptSet& set);

}  // namespace hrt
