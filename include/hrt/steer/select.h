#pragma once

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/execute.h"

namespace hrt {

// `hrt steer select`: chooses a refusal direction among the differences of means at every post-instruction
// token and block input (Arditi et al., arXiv 2406.11717, section 2.3 and appendix C; docs/formats.md). With
// the key `scores` it only applies the rules to scores computed before, and opens no model. Returns kDone, or
// kCheckFailed when no candidate survives; throws what goes wrong.
ExitCode run_select(Json config, const RunOptions& options);

}  // namespace hrt
