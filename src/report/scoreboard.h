#pragma once

#include <optional>

#include "document.h"
#include "run_folder.h"

namespace hrt {

// What `hrt reproduce` found: a verdict an experiment, every claim with what it needs and what was measured,
// and published values beside ours.
Section scoreboard_section(const RunFolder& run);

// The numbers that were published for an experiment (an item of its results.json's experiments), as marks
// beside ours; nothing where there are none, or nothing was measured.
std::optional<Figure> published_figure(const Json& experiment);

}  // namespace hrt
