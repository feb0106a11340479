#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hrt/probe/report.h"
#include "hrt/probe/source.h"

namespace hrt {

// One of several ways in which the same prompts were run: another model, another template.
struct Variant {
  std::string name;
  std::unique_ptr<ProbeSource> source;
};

// The beliefs of the same prompts (by id) in each variant, and how far they moved from those in the first:
// against each variant's own centroids, and against the first one's (Zhao et al., arXiv 2507.11878, figs. 7
// and 18: a model and its fine-tunes). Groups are those of the first. Throws InputError: fewer than two
// variants, no common prompts, rows that differ.
ProbeReport probe_compare(const std::vector<Variant>& variants, const Json& config);

}  // namespace hrt
