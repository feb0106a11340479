#pragma once

#include "hrt/base/json.h"

namespace hrt {

// Throws InputError when `config` says that the weights are quantised: what the folder holds, and what to use
// instead.
void refuse_quantised(const JsonObject& config);

}  // namespace hrt
