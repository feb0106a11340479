#include "hrt/analysis/directions.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensors.h"

namespace hrt {
namespace {

at::Tensor norms_of(const at::Tensor& rows) { return at::linalg_vector_norm(rows.to(at::kDouble), 2, {-1}); }

}  // namespace

void Centroid::add(const at::Tensor& rows) {
  const at::Tensor exact = rows.to(at::kDouble);
  if (count_++ == 0) {
    sum_ = exact.clone();
  } else {
    sum_ += exact;
  }
}

at::Tensor Centroid::mean() const { return sum_ / static_cast<double>(count_); }

at::Tensor Centroid::mean_without(const at::Tensor& rows) const {
  return (sum_ - rows.to(at::kDouble)) / static_cast<double>(count_ - 1);
}

Centroid centroid_of(const at::Tensor& activations) {
  Centroid centroid;
  for (std::int64_t i = 0; i < activations.size(0); ++i) centroid.add(activations[i]);
  return centroid;
}

std::vector<double> row_norms(const at::Tensor& rows) { return to_vector(norms_of(rows)); }

RowScores row_cosines(const at::Tensor& a, const at::Tensor& b) {
  const std::vector<double> dots = to_vector((a.to(at::kDouble) * b.to(at::kDouble)).sum(-1));
  const std::vector<double> norms_a = row_norms(a);
  const std::vector<double> norms_b = row_norms(b);
  RowScores cosines(dots.size());
  for (std::size_t i = 0; i < dots.size(); ++i) {
    if (norms_a[i] > 0 && norms_b[i] > 0) cosines[i] = dots[i] / (norms_a[i] * norms_b[i]);
  }
  return cosines;
}

double angle_of(double cosine) { return std::acos(std::clamp(cosine, -1.0, 1.0)) * 180 / std::numbers::pi; }

DifferenceAgreement::DifferenceAgreement(const at::Tensor& plus_mean, const at::Tensor& minus_mean)
    : plus_mean_(plus_mean.to(at::kDouble)),
      minus_mean_(minus_mean.to(at::kDouble)),
      direction_(plus_mean_ - minus_mean_) {}

void DifferenceAgreement::add(Side side, const at::Tensor& rows) {
  if (side == Side::kNeither) return;
  const at::Tensor exact = rows.to(at::kDouble);
  const at::Tensor difference = side == Side::kPlus ? exact - minus_mean_ : plus_mean_ - exact;
  cosines_.push_back(row_cosines(difference, direction_));
}

RowScores DifferenceAgreement::by_row() const { return mean_by_row(cosines_); }

RowScores difference_agreement(const at::Tensor& plus, const at::Tensor& minus) {
  DifferenceAgreement agreement(centroid_of(plus).mean(), centroid_of(minus).mean());
  for (std::int64_t i = 0; i < plus.size(0); ++i) agreement.add(Side::kPlus, plus[i]);
  for (std::int64_t i = 0; i < minus.size(0); ++i) agreement.add(Side::kMinus, minus[i]);
  return agreement.by_row();
}

double agreement_of_noise(std::int64_t plus_count, std::int64_t minus_count) {
  const auto plus = static_cast<double>(plus_count);
  const auto minus = static_cast<double>(minus_count);
  const double variance = 1 / plus + 1 / minus;
  return (plus * std::sqrt(variance / (1 + 1 / minus)) + minus * std::sqrt(variance / (1 + 1 / plus))) /
         (plus + minus);
}

double largest_relative_difference(const at::Tensor& a, const at::Tensor& b) {
  if (b.numel() == 0) return 0;
  const at::Tensor reference = norms_of(b);
  const at::Tensor difference = norms_of(a.to(at::kDouble) - b.to(at::kDouble));
  return at::where(reference > 0, difference / reference, difference).max().item<double>();
}

}  // namespace hrt
