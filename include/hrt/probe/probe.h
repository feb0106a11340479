#pragma once

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/execute.h"

namespace hrt {

// `hrt probe`: what activations say. Looks at the runs or tensor files that a resolved config names, or
// extracts its prompts first (into OUT/extract, or a folder a variant). Prints a page, or one JSON object;
// with an output folder writes results.json and csv files (docs/formats.md). Returns kDone, or kCheckFailed
// when the extraction's checks do not hold.
ExitCode run_probe(Json config, const RunOptions& options);

}  // namespace hrt
