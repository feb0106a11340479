#include "hrt/analysis/scores.h"

#include <ATen/TensorOperators.h>

#include "tensors.h"

namespace hrt {
namespace {

// Rows in which neither centroid is zero.
std::vector<bool> defined_rows(const at::Tensor& plus, const at::Tensor& minus) {
  const std::vector<double> plus_norms = row_norms(plus);
  const std::vector<double> minus_norms = row_norms(minus);
  std::vector<bool> defined;
  for (std::size_t i = 0; i < plus_norms.size(); ++i)
    defined.push_back(plus_norms[i] > 0 && minus_norms[i] > 0);
  return defined;
}

// `rows` [rows, hidden] float64; `contrast` is the difference of the centroids at length 1.
RowScores score_rows(const at::Tensor& rows, const at::Tensor& contrast, const std::vector<bool>& defined) {
  const std::vector<double> products = to_vector((rows * contrast).sum(-1));
  const std::vector<double> norms = row_norms(rows);
  RowScores scores(products.size());
  for (std::size_t i = 0; i < products.size(); ++i) {
    if (defined[i] && norms[i] > 0) scores[i] = products[i] / norms[i];
  }
  return scores;
}

// A centroid at length 1, whole and without one of its prompts.
class LeaveOneOut {
 public:
  void add(const at::Tensor& rows) { centroid_.add(rows); }
  void finish() {
    if (centroid_.count() > 0) whole_ = unit_rows(centroid_.mean());
  }
  bool has_others(bool member) const { return centroid_.count() > member; }
  at::Tensor without(const at::Tensor& rows, bool member) const {
    return member ? unit_rows(centroid_.mean_without(rows)) : whole_;
  }

 private:
  Centroid centroid_;
  at::Tensor whole_;
};

}  // namespace

CentroidScorer::CentroidScorer(const at::Tensor& plus, const at::Tensor& minus)
    : contrast_(unit_rows(plus) - unit_rows(minus)), defined_(defined_rows(plus, minus)) {}

RowScores CentroidScorer::score(const at::Tensor& rows) const {
  return score_rows(rows.to(at::kDouble), contrast_, defined_);
}

std::vector<RowScores> centroid_scores(const at::Tensor& activations, const CentroidScorer& scorer) {
  std::vector<RowScores> scores;
  for (std::int64_t i = 0; i < activations.size(0); ++i) scores.push_back(scorer.score(activations[i]));
  return scores;
}

std::vector<RowScores> leave_one_out_scores(const at::Tensor& activations, std::span<const Side> sides) {
  LeaveOneOut plus;
  LeaveOneOut minus;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const at::Tensor rows = activations[static_cast<std::int64_t>(i)];
    if (sides[i] == Side::kPlus) plus.add(rows);
    if (sides[i] == Side::kMinus) minus.add(rows);
  }
  plus.finish();
  minus.finish();
  std::vector<RowScores> scores;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const bool in_plus = sides[i] == Side::kPlus;
    const bool in_minus = sides[i] == Side::kMinus;
    if (!plus.has_others(in_plus) || !minus.has_others(in_minus)) {
      scores.emplace_back(static_cast<std::size_t>(activations.size(1)));
      continue;
    }
    const at::Tensor rows = activations[static_cast<std::int64_t>(i)].to(at::kDouble);
    const at::Tensor unit_plus = plus.without(rows, in_plus);
    const at::Tensor unit_minus = minus.without(rows, in_minus);
    scores.push_back(score_rows(rows, unit_plus - unit_minus, defined_rows(unit_plus, unit_minus)));
  }
  return scores;
}

}  // namespace hrt
