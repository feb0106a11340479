#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "hrt/analysis/directions.h"

namespace hrt {

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

// Scores against the centroids of the same prompts, each prompt being left out of its own centroid: a prompt
// is close to a mean that contains it, whatever it says. Nothing in any row for a prompt whose centroid has
// no other prompt, nor where a side is empty.
std::vector<RowScores> leave_one_out_scores(const at::Tensor& activations, std::span<const Side> sides);

}  // namespace hrt
