#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hrt/experiment/extract_directions.h"
#include "hrt/experiment/prompt_counts.h"

namespace hrt {

// What `hrt extract` tells its user at the end.
struct ExtractSummary {
  std::vector<std::int64_t> rows;
  PromptCounts counts;
  std::int64_t unknown = 0;
  std::vector<Direction> directions;
};

// Prompts by label and outcome, and norms and cosine of the directions by row, of all that only what there
// is; as a table, or as one JSON object.
void print_summary(const ExtractSummary& summary, const std::filesystem::path& run, bool json);

}  // namespace hrt
