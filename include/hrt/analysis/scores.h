#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hrt {

// One score a row; nothing where it is not defined.
using RowScores = std::vector<std::optional<double>>;

// s[l](h) = cos(h[l], plus[l]) - cos(h[l], minus[l]) (Zhao et al., arXiv 2507.11878, eq. 2), in float64,
// computed as h / |h| . (plus / |plus| - minus / |minus|): where both centroids are equal, as in row 0 at
// t_post_inst, the score is exactly 0, and it counts. Nothing where h or a centroid is zero.
class CentroidScorer {
 public:
  // Both [rows, hidden].
  CentroidScorer(const at::Tensor& plus, const at::Tensor& minus);
  // One prompt's [rows, hidden].
  RowScores score(const at::Tensor& rows) const;

 private:
  at::Tensor contrast_;  // [rows, hidden]
  std::vector<bool> defined_;
};

// One a prompt, of activations [prompts, rows, hidden].
std::vector<RowScores> centroid_scores(const at::Tensor& activations, const CentroidScorer& scorer);

// Which centroid a prompt is part of.
enum class Side { kPlus, kMinus, kNeither };

// Scores against the centroids of the same prompts, each prompt being left out of its own centroid: a prompt
// is close to a mean that contains it, whatever it says. Nothing in any row for a prompt whose centroid has
// no other prompt, nor where a side is empty.
std::vector<RowScores> leave_one_out_scores(const at::Tensor& activations, std::span<const Side> sides);

// A prompt's scores averaged over rows: Delta_harmful or Delta_refuse (eqs. 3 and 4) by the position and the
// centroids that they come from. Rows without a score are left out; nothing where none is left.
struct Belief {
  std::optional<double> all_rows;
  std::optional<double> without_row_0;
};

// rows[i] is the number of the row that scores[i] belongs to.
Belief belief(const RowScores& scores, std::span<const std::int64_t> rows);

}  // namespace hrt
