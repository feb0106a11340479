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

RowScores difference_agreement(const at::Tensor& plus, const at::Tensor& minus) {
  const at::Tensor plus_mean = centroid_of(plus).mean();
  const at::Tensor minus_mean = centroid_of(minus).mean();
  const at::Tensor direction = plus_mean - minus_mean;
  std::vector<RowScores> cosines;
  for (std::int64_t i = 0; i < plus.size(0); ++i)
    cosines.push_back(row_cosines(plus[i] - minus_mean, direction));
  for (std::int64_t i = 0; i < minus.size(0); ++i)
    cosines.push_back(row_cosines(plus_mean - minus[i], direction));
  return mean_by_row(cosines);
}

double largest_relative_difference(const at::Tensor& a, const at::Tensor& b) {
  if (b.numel() == 0) return 0;
  const at::Tensor reference = norms_of(b);
  const at::Tensor difference = norms_of(a.to(at::kDouble) - b.to(at::kDouble));
  return at::where(reference > 0, difference / reference, difference).max().item<double>();
}

}  // namespace hrt
