#pragma once

#include "hrt/base/json.h"

namespace hrt {

// {"hrt", "torch", "cuda", "icu"}: what this binary is and runs on; cuda is null where there is none.
Json versions();

}  // namespace hrt
