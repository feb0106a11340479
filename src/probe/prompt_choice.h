#pragma once

#include <vector>

#include "hrt/probe/source.h"

namespace hrt {

// What a prompt of a run is used for.
struct PromptUse {
  bool centroid = false;  // part of the centroids
  bool scored = false;
};

// The prompts that a config names: `harmful` and `harmless` make the centroids, `prompts` are scored. Where
// it names only the first, these are scored, too; where it names none, all prompts are both. With a run of
// its own for the centroids (`from_centroid_run`, one a prompt), these come from there and all others are
// scored. Throws InputError for an entry that no prompt fits.
std::vector<PromptUse> choose_prompts(const Json& config, const std::vector<ProbePrompt>& prompts,
                                      const std::vector<bool>& from_centroid_run);

}  // namespace hrt
