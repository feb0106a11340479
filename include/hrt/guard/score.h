#pragma once

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/execute.h"

namespace hrt {

// `hrt guard score`: JSON lines from stdin or a file, each a prompt, to JSON lines on stdout, in order
// (docs/formats.md), as they arrive. The model, its template and its width are checked before anything is
// read: throws InputError where they are not those that the guard was fitted to. Returns 141 when nobody
// reads the answers any more, and 128 + the signal that ended it.
ExitCode run_guard_score(Json config, const RunOptions& options);

}  // namespace hrt
