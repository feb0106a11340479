#pragma once

#include <optional>

#include "hrt/base/json.h"
#include "hrt/experiment/catalog.h"

namespace hrt {

// The catalog that a config names, if it names one.
std::optional<Catalog> catalog_of(const Json& config);

}  // namespace hrt
