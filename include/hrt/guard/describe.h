#pragma once

#include <filesystem>
#include <string>

#include "hrt/base/json.h"
#include "hrt/base/page.h"
#include "hrt/guard/guard.h"

namespace hrt {

// What a guard decides by: rows, position, threshold, calibration, how they were chosen, template.
Json rule_json(const Guard& guard);
// The same for people.
void add_rule(Page& page, const Guard& guard);

// A guard file for people: what it belongs to, what it was fitted to, its rule.
std::string guard_page(const std::filesystem::path& file, const Guard& guard);

}  // namespace hrt
