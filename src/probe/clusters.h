#pragma once

#include <string>
#include <vector>

#include "hrt/analysis/proportion.h"
#include "hrt/probe/source.h"

namespace hrt {

// The clusters that s[l] compares (key `clusters`: "outcome" or "label").
Clusters clusters_of(const Json& config);

// Throws InputError when one of the two centroids has no prompt.
void require_clusters(const ProbeSource& source, const std::string& position, const Clusters& clusters);

// The asked positions that the source has, of those an analysis can use; an error when none is there.
std::vector<std::string> positions_there(const ProbeSource& source, const std::vector<std::string>& asked);

// Scores of some prompts at one row, those without a value left out.
std::vector<double> at_row(const std::vector<RowScores>& scores, const std::vector<std::size_t>& prompts,
                           std::size_t row);

// How many of the scores lie above 0, the paper's threshold.
Proportion above_0(const std::vector<double>& scores);

// The prompts of two kinds, of all that are scored.
struct TwoKinds {
  std::vector<std::size_t> positive;
  std::vector<std::size_t> negative;
};
TwoKinds by_label(const std::vector<ProbePrompt>& prompts);    // harmful, harmless
TwoKinds by_outcome(const std::vector<ProbePrompt>& prompts);  // refused, accepted

}  // namespace hrt
