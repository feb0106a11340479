#pragma once

#include <optional>
#include <string_view>

namespace hrt {

// What a prompt is.
enum class Label { kNone, kHarmful, kHarmless };

// What the model did with it. Unknown: not judged, or a reply that cannot be judged.
enum class Outcome { kUnknown, kRefused, kAccepted };

std::string_view label_name(Label label);        // "harmful", "harmless", "" for none
std::string_view outcome_name(Outcome outcome);  // "refused", "accepted", "unknown"

// The other way. Nothing for any other text.
std::optional<Label> label_by_name(std::string_view name);      // harmful, harmless
std::optional<Outcome> outcome_by_name(std::string_view name);  // refused, accepted

}  // namespace hrt
