#pragma once

#include <filesystem>
#include <map>
#include <vector>

#include "hrt/experiment/execute.h"
#include "hrt/steer/sweep_results.h"

namespace hrt {

// What a line of replies.jsonl says about one item of a sweep. `judge` judges the reply's beginnings; with
// nullptr there are no verdicts on these.
SweepOutcome read_outcome(const Json& line, const SweepItem& item, const Judge* judge);

// What was steered in an earlier run, and how far that went.
struct StoredSweep {
  std::vector<Cell> cells;
  std::map<std::size_t, CellReceipt> receipts;  // by the number of the cell
};

// Out of a results.json. Throws InputError "FILE: ...".
StoredSweep stored_sweep(const std::filesystem::path& results);

// Writes results.json and sweep.csv and prints the results. kCheckFailed, and a warning for each, where cells
// touched no token.
ExitCode write_sweep(RunDirectory& run, const SweepResults& results, const std::vector<Cell>& cells,
                     const RunOptions& options);

}  // namespace hrt
