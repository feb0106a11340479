#pragma once

#include "hrt/base/json.h"

namespace hrt {

// The config of the extraction that another command begins with, of its key `extract`: what that does not say
// and the two commands have in common is the command's, but for prompts, layers and where things are kept.
Json extraction_config(const Json& config);

// The config of the extraction of a command's own prompts: the keys that both have, then `changes`.
Json own_extraction(const Json& config, const Json& changes);

}  // namespace hrt
