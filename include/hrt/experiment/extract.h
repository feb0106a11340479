#pragma once

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/execute.h"

namespace hrt {

// `hrt extract`: activations, centroids and directions of a resolved config's prompts (docs/formats.md).
// Prints the quadrants and directions to stdout, or one JSON object. Returns kDone or kCheckFailed; throws
// what goes wrong.
ExitCode run_extract(Json config, const RunOptions& options);
// The same for prompts that are planned already.
ExitCode run_extract(const PromptRun& prompts, const RunOptions& options);
// `--from RUN`: the same from the activations and replies of a complete run, judged again.
ExitCode run_extract_from(const Json& config, const RunOptions& options);

}  // namespace hrt
