#include "hrt/analysis/silhouette.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "tensors.h"

namespace hrt {
namespace {

at::Tensor without_zeros(const at::Tensor& points) {
  const at::Tensor norms = at::linalg_vector_norm(points.to(at::kDouble), 2, {-1});
  return points.index_select(0, (norms > 0).nonzero().squeeze(1));
}

// [points, points]. Distances do not depend on the origin: seen from the first point, equal points are exact
// zeros, where their products would leave rounding that looks like structure.
at::Tensor squared_distances(const at::Tensor& points) {
  const at::Tensor seen = points - points[0];
  const at::Tensor products = at::mm(seen, seen.t());
  const at::Tensor squares = products.diagonal();
  return (squares.unsqueeze(0) + squares.unsqueeze(1) - 2 * products).clamp_min(0).fill_diagonal_(0);
}

// 1 - cosine is half the squared distance of unit vectors.
at::Tensor distances(const at::Tensor& points, Distance distance) {
  if (distance == Distance::kCosine) return squared_distances(unit_rows(points)) / 2;
  return squared_distances(points.to(at::kDouble)).sqrt();
}

// The sum of (b - a) / max(a, b) over a cluster, from its distances to itself and to the other one.
double sum_of_silhouettes(const at::Tensor& own, const at::Tensor& other) {
  const std::int64_t rest = own.size(1) - 1;
  if (rest == 0) return 0;
  const at::Tensor a = own.sum(1) / static_cast<double>(rest);
  const at::Tensor b = other.mean(1);
  const at::Tensor larger = at::maximum(a, b);
  return ((b - a) / at::where(larger > 0, larger, 1.0)).sum().item<double>();
}

}  // namespace

std::optional<double> silhouette(const at::Tensor& first, const at::Tensor& second, Distance distance) {
  const bool cosine = distance == Distance::kCosine;
  const at::Tensor one = cosine ? without_zeros(first) : first;
  const at::Tensor two = cosine ? without_zeros(second) : second;
  const std::int64_t m = one.size(0);
  const std::int64_t n = two.size(0);
  if (m == 0 || n == 0) return std::nullopt;
  const at::Tensor all = distances(at::cat({one, two}), distance);
  const at::Tensor of_one = all.narrow(0, 0, m);
  const at::Tensor of_two = all.narrow(0, m, n);
  const double sum = sum_of_silhouettes(of_one.narrow(1, 0, m), of_one.narrow(1, m, n)) +
                     sum_of_silhouettes(of_two.narrow(1, m, n), of_two.narrow(1, 0, m));
  return sum / static_cast<double>(m + n);
}

}  // namespace hrt
