#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hrt/analysis/directions.h"
#include "hrt/experiment/activation_file.h"

namespace hrt {

// "refused_harmful", ... or nothing when label or outcome is not known.
std::optional<std::string> quadrant_name(Label label, Outcome outcome);

// By prompt, the sets whose centroids it is part of: its label and its quadrant; with `by_category` those of
// a harmful prompt's category, too: "harmful:CATEGORY", "refused_harmful:CATEGORY".
using Memberships = std::vector<std::vector<std::string>>;
Memberships memberships_of(const PromptSet& set, const std::vector<Outcome>& outcomes, bool by_category);

// The categories of the harmful prompts, in alphabetical order.
std::vector<std::string> harmful_categories(const PromptSet& set);

// "SET.POSITION"
std::string centroid_name(const std::string& set, const std::string& position);

// [rows, hidden] of one prompt at one position: of a span, the mean over its tokens.
at::Tensor rows_of_prompt(const at::Tensor& tokens);

// Centroids by "SET.POSITION"; of a span, of the means over its tokens.
std::map<std::string, Centroid> compute_centroids(const PromptSet& set, const Memberships& memberships,
                                                  const CapturedRows& captured);

void write_centroids(const std::filesystem::path& file, const std::map<std::string, Centroid>& centroids,
                     const std::vector<std::int64_t>& rows);

}  // namespace hrt
