#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hrt {

// One value a row of the residual stream; nothing where it is not defined.
using RowScores = std::vector<std::optional<double>>;

// The mean over rows, those without a value left out; nothing where none is left. Of a prompt's scores it is
// its belief, Delta_harmful or Delta_refuse (Zhao et al., arXiv 2507.11878, eqs. 3 and 4), by the position
// and the centroids that they come from. Row 0, which only sees the token itself, is in the paper's means;
// both are reported.
struct RowMean {
  std::optional<double> all_rows;
  std::optional<double> without_row_0;
};

// rows[i] is the number of the row that values[i] belongs to.
RowMean row_mean(const RowScores& values, std::span<const std::int64_t> rows);

// The other way: by row, the mean over prompts that have a value there. All of one length; empty for no
// prompts.
RowScores mean_by_row(std::span<const RowScores> prompts);

}  // namespace hrt
