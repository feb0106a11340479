#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "hrt/experiment/extract_directions.h"

namespace hrt {

// What `hrt extract` tells its user at the end.
struct ExtractSummary {
  std::vector<std::int64_t> rows;
  std::map<std::string, std::int64_t> quadrants;
  std::int64_t unknown = 0;
  std::vector<Direction> directions;
};

// The four quadrants with their counts, and norms and cosine of the directions by row; as a table, or as one
// JSON object.
void print_summary(const ExtractSummary& summary, const std::filesystem::path& run, bool json);

}  // namespace hrt
