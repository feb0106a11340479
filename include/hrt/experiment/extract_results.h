#pragma once

#include <cstdint>
#include <vector>

#include "hrt/experiment/execute.h"
#include "hrt/experiment/extract_directions.h"

namespace hrt {

// What centroids and directions are made of.
struct ExtractInput {
  const PromptSet& set;
  const std::vector<Outcome>& outcomes;  // by prompt
  const CapturedRows& captured;
  const std::vector<std::int64_t>& rows;  // numbers of the rows
  std::int64_t unknown_replies = 0;
};

// What a resolved config asks for. `raw`: its template is; then nothing is refused.
DirectionRequest direction_request(const Json& config, bool raw);

// Writes centroids.safetensors and directions.safetensors, puts counts and warnings into the manifest and
// prints the summary. kCheckFailed when a direction that was asked for could not be had.
ExitCode write_extraction(RunDirectory& run, const ExtractInput& input, const DirectionRequest& request,
                          const RunOptions& options);

}  // namespace hrt
