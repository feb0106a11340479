#pragma once

#include "hrt/probe/report.h"
#include "hrt/probe/source.h"

namespace hrt {

// One function an analysis; each throws InputError where the source lacks what it needs.

// s[l] by row of each group, at t_inst and t_post_inst, and how well rows part labels and outcomes (Zhao et
// al., arXiv 2507.11878, fig. 2).
ProbeReport probe_layers(const ProbeSource& source, const Json& config);
// Delta_harmful and Delta_refuse of each prompt, by group, and their correlation (figs. 3 and 6).
ProbeReport probe_beliefs(const ProbeSource& source, const Json& config);
// Directions by category and their cosines (fig. 9).
ProbeReport probe_categories(const ProbeSource& source, const Json& config);
// The same scores at every position that was captured (figs. 14 and 16).
ProbeReport probe_positions(const ProbeSource& source, const Json& config);
// Groups in the plane of the two beliefs, and the angles between directions.
ProbeReport probe_plane(const ProbeSource& source, const Json& config);
// Logistic probes by row, beside the difference of means and the words alone.
ProbeReport probe_linear(const ProbeSource& source, const Json& config);

}  // namespace hrt
