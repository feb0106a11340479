#pragma once

#include "hrt/base/json.h"

namespace hrt {

// Puts what the clock gave the template when the run in `out` began (`template.clock` of its manifest) into
// `template_arg`, so that a run resumed on another day has the prompts that it had. Nothing without such a
// run.
void keep_clock(Json& config);

}  // namespace hrt
