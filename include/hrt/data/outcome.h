#pragma once

#include <string_view>

namespace hrt {

// What a prompt is.
enum class Label { kNone, kHarmful, kHarmless };

// What the model did with it. Unknown: not judged, or a reply that cannot be judged.
enum class Outcome { kUnknown, kRefused, kAccepted };

std::string_view label_name(Label label);        // "harmful", "harmless", "" for none
std::string_view outcome_name(Outcome outcome);  // "refused", "accepted", "unknown"

}  // namespace hrt
