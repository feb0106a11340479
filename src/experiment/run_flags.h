#pragma once

#include <vector>

#include "hrt/experiment/config.h"

namespace hrt {

// Where `config` names complete extractions (or tensor files) instead of prompts to extract: refuses what the
// command line says otherwise about how rows are made, since it would have no effect. Throws InputError.
void check_flags_beside_runs(Command command, const Json& config, const std::vector<Override>& overrides);

}  // namespace hrt
