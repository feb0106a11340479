#include "hrt/analysis/directions.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/where.h>

#include "values.h"

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

std::vector<double> row_norms(const at::Tensor& rows) { return to_vector(norms_of(rows)); }

std::vector<std::optional<double>> row_cosines(const at::Tensor& a, const at::Tensor& b) {
  const std::vector<double> dots = to_vector((a.to(at::kDouble) * b.to(at::kDouble)).sum(-1));
  const std::vector<double> norms_a = row_norms(a);
  const std::vector<double> norms_b = row_norms(b);
  std::vector<std::optional<double>> cosines(dots.size());
  for (std::size_t i = 0; i < dots.size(); ++i) {
    if (norms_a[i] > 0 && norms_b[i] > 0) cosines[i] = dots[i] / (norms_a[i] * norms_b[i]);
  }
  return cosines;
}

double largest_relative_difference(const at::Tensor& a, const at::Tensor& b) {
  if (b.numel() == 0) return 0;
  const at::Tensor reference = norms_of(b);
  const at::Tensor difference = norms_of(a.to(at::kDouble) - b.to(at::kDouble));
  return at::where(reference > 0, difference / reference, difference).max().item<double>();
}

}  // namespace hrt
