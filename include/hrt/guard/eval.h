#pragma once

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/execute.h"

namespace hrt {

// `hrt guard eval`: a guard on the prompts of complete extractions, or of one that is made first (in
// OUT/extract), beside other guards. Without a guard file the guard is fitted to the config's training
// prompts. Prints a page, or one JSON object; with an output folder writes results.json, guard.csv, roc.csv
// and scores.csv (docs/formats.md). Throws InputError.
ExitCode run_guard_eval(Json config, const RunOptions& options);

}  // namespace hrt
