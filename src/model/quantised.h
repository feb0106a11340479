#pragma once

#include <string_view>

#include "hrt/base/json.h"

namespace hrt {

// Throws InputError when `config` says that the weights are quantised, by another method than the one that is
// `readable`: what the folder holds, and what to use instead.
void refuse_quantised(const JsonObject& config, std::string_view readable);

}  // namespace hrt
