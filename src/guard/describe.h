#pragma once

#include "hrt/base/page.h"
#include "hrt/guard/guard.h"

namespace hrt {

// What a guard decides by: rows, position, threshold, calibration, how they were chosen, template.
Json rule_json(const Guard& guard);
// The same for people.
void add_rule(Page& page, const Guard& guard);

}  // namespace hrt
