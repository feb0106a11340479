#pragma once

#include "document.h"
#include "run_folder.h"

namespace hrt {

// What `hrt reproduce` found: a verdict an experiment, every claim with what it needs and what was measured,
// and published values beside ours.
Section scoreboard_section(const RunFolder& run);

}  // namespace hrt
