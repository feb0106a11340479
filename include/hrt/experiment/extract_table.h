#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hrt/base/json.h"
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
// is: results.json, and as a table.
Json summary_json(const ExtractSummary& summary);
void print_summary(const ExtractSummary& summary, const std::filesystem::path& run);

}  // namespace hrt
