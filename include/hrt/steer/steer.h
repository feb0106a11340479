#pragma once

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/execute.h"

namespace hrt {

// `hrt steer` without a direction: plain greedy generation, judged (docs/formats.md). Returns kDone or
// kCheckFailed; throws what goes wrong.
ExitCode run_steer(Json config, const RunOptions& options);

// `--from RUN`: results of a complete run whose replies are judged again.
ExitCode run_steer_from(const Json& config, const RunOptions& options);

}  // namespace hrt
