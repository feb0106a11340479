#pragma once

#include <vector>

#include "hrt/experiment/execute.h"
#include "hrt/steer/sweep_results.h"

namespace hrt {

// What a line of replies.jsonl says about one item of a sweep. `judge` judges the reply's beginnings; with
// nullptr there are no verdicts on these.
SweepOutcome read_outcome(const Json& line, const SweepItem& item, const Judge* judge);

// Cells and receipts out of a results.json.
std::vector<Cell> read_cells(const Json& results);
std::map<std::size_t, CellReceipt> read_receipts(const Json& results);

// Writes results.json and sweep.csv and prints the results. kCheckFailed, and a warning for each, where cells
// touched no token.
ExitCode write_sweep(RunDirectory& run, const SweepResults& results, const std::vector<Cell>& cells,
                     const RunOptions& options);

}  // namespace hrt
