#include "hrt/analysis/scores.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/where.h>

#include "hrt/analysis/directions.h"
#include "values.h"

namespace hrt {
namespace {

// Rows of length 1; zero rows stay zero.
at::Tensor unit(const at::Tensor& rows) {
  const at::Tensor exact = rows.to(at::kDouble);
  const at::Tensor norms = at::linalg_vector_norm(exact, 2, {-1}, /*keepdim=*/true);
  return exact / at::where(norms > 0, norms, 1.0);
}

RowScores undefined(std::int64_t rows) { return RowScores(static_cast<std::size_t>(rows)); }

// The centroid of `side`, without the prompt itself where it belongs to it.
at::Tensor centroid_for(const Centroid& centroid, bool member, const at::Tensor& rows) {
  return member ? centroid.mean_without(rows) : centroid.mean();
}

std::optional<double> mean_of_defined(const RowScores& scores, std::span<const std::int64_t> rows,
                                      bool row_0) {
  double sum = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!scores[i] || (rows[i] == 0 && !row_0)) continue;
    sum += *scores[i];
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

}  // namespace

CentroidScorer::CentroidScorer(const at::Tensor& plus, const at::Tensor& minus)
    : contrast_(unit(plus) - unit(minus)) {
  const std::vector<double> plus_norms = row_norms(plus);
  const std::vector<double> minus_norms = row_norms(minus);
  for (std::size_t i = 0; i < plus_norms.size(); ++i)
    defined_.push_back(plus_norms[i] > 0 && minus_norms[i] > 0);
}

RowScores CentroidScorer::score(const at::Tensor& rows) const {
  const std::vector<double> values = to_vector((unit(rows) * contrast_).sum(-1));
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

Belief belief(const RowScores& scores, std::span<const std::int64_t> rows) {
  return {mean_of_defined(scores, rows, true), mean_of_defined(scores, rows, false)};
}

}  // namespace hrt
