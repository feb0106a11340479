#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace hrt {

// The mean of many activations, summed in float64 (half-precision sums lose the small differences that
// directions are made of).
class Centroid {
 public:
  // Adds one prompt's rows, [rows, hidden], any dtype.
  void add(const at::Tensor& rows);
  std::int64_t count() const { return count_; }
  // [rows, hidden] float64. Only with count() > 0.
  at::Tensor mean() const;

 private:
  at::Tensor sum_;
  std::int64_t count_ = 0;
};

// Euclidean norm of each row of [rows, hidden].
std::vector<double> row_norms(const at::Tensor& rows);

// Cosine of each row of `a` with the same row of `b`, in float64; nothing where either is zero.
std::vector<std::optional<double>> row_cosines(const at::Tensor& a, const at::Tensor& b);

// max over rows of |a - b| / |b|: how far two computations of the same rows are apart. Rows of zeros in `b`
// count by |a| itself.
double largest_relative_difference(const at::Tensor& a, const at::Tensor& b);

}  // namespace hrt
