#include "hrt/analysis/scores.h"

#include <ATen/TensorOperators.h>

#include "tensors.h"

namespace hrt {
namespace {

RowScores undefined(std::int64_t rows) { return RowScores(static_cast<std::size_t>(rows)); }

// The centroid of `side`, without the prompt itself where it belongs to it.
at::Tensor centroid_for(const Centroid& centroid, bool member, const at::Tensor& rows) {
  return member ? centroid.mean_without(rows) : centroid.mean();
}

}  // namespace

CentroidScorer::CentroidScorer(const at::Tensor& plus, const at::Tensor& minus)
    : contrast_(unit_rows(plus) - unit_rows(minus)) {
  const std::vector<double> plus_norms = row_norms(plus);
  const std::vector<double> minus_norms = row_norms(minus);
  for (std::size_t i = 0; i < plus_norms.size(); ++i)
    defined_.push_back(plus_norms[i] > 0 && minus_norms[i] > 0);
}

RowScores CentroidScorer::score(const at::Tensor& rows) const {
  const std::vector<double> values = to_vector((unit_rows(rows) * contrast_).sum(-1));
  const std::vector<double> norms = row_norms(rows);
  RowScores scores(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (defined_[i] && norms[i] > 0) scores[i] = values[i];
  }
  return scores;
}

std::vector<RowScores> centroid_scores(const at::Tensor& activations, const CentroidScorer& scorer) {
  std::vector<RowScores> scores;
  for (std::int64_t i = 0; i < activations.size(0); ++i) scores.push_back(scorer.score(activations[i]));
  return scores;
}

std::vector<RowScores> leave_one_out_scores(const at::Tensor& activations, std::span<const Side> sides) {
  Centroid plus;
  Centroid minus;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const at::Tensor rows = activations[static_cast<std::int64_t>(i)];
    if (sides[i] == Side::kPlus) plus.add(rows);
    if (sides[i] == Side::kMinus) minus.add(rows);
  }
  std::vector<RowScores> scores;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const at::Tensor rows = activations[static_cast<std::int64_t>(i)];
    const bool in_plus = sides[i] == Side::kPlus;
    const bool in_minus = sides[i] == Side::kMinus;
    if (plus.count() <= in_plus || minus.count() <= in_minus) {
      scores.push_back(undefined(rows.size(0)));
    } else {
      const CentroidScorer scorer(centroid_for(plus, in_plus, rows), centroid_for(minus, in_minus, rows));
      scores.push_back(scorer.score(rows));
    }
  }
  return scores;
}

}  // namespace hrt
