#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/position_claim.h"

namespace hrt {

// What `hrt inspect` was asked. The path decides what is shown: a checkpoint, a tokenizer or a run (folders),
// or a tensor file.
struct InspectRequest {
  std::filesystem::path path;
  bool json = false;
  std::optional<std::filesystem::path> adapter;  // of a checkpoint

  // Prompts through the checkpoint's template: one text, or a file.
  std::optional<std::string> prompt;
  std::optional<std::filesystem::path> prompts;
  std::string field = "instruction";
  std::optional<std::int64_t> limit;
  Json text;  // the keys that open_text reads

  // Tensor files.
  std::optional<std::string> tensor;
  std::optional<PositionClaim> claim;
  bool learned_positions = false;
};

// Prints to stdout. Throws InputError; kCheckFailed when a claim does not hold.
ExitCode run_inspect(const InspectRequest& request);

}  // namespace hrt
