#pragma once

#include "hrt/base/json.h"
#include "hrt/model/checkpoint.h"

namespace hrt {

// The checkpoint that a config asks for, with its adapter. Throws InputError.
Checkpoint open_checkpoint(const Json& config);

}  // namespace hrt
