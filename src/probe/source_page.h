#pragma once

#include <string>

#include "hrt/base/json.h"

namespace hrt {

// Where an analysis' numbers come from (ProbeSource::describe), for people.
std::string source_page(const std::string& title, const Json& source);

}  // namespace hrt
