#pragma once

#include <string>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

// Throws InputError "FILE: /a/b is not known here, did you mean c?" at the first key that is not `known`.
void check_known_keys(const JsonObject& object, const std::vector<std::string>& known);

}  // namespace hrt
