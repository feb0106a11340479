#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "hrt/analysis/row_scores.h"

namespace hrt {

// Which of the two means that make a direction a prompt is part of.
enum class Side { kPlus, kMinus, kNeither };

// The mean of many activations, summed in float64 (half-precision sums lose the small differences that
// directions are made of).
class Centroid {
 public:
  // Adds one prompt's rows, [rows, hidden], any dtype.
  void add(const at::Tensor& rows);
  std::int64_t count() const { return count_; }
  // [rows, hidden] float64. Only with count() > 0.
  at::Tensor mean() const;
  // The mean of all others, `rows` being among those added. Only with count() > 1.
  at::Tensor mean_without(const at::Tensor& rows) const;

 private:
  at::Tensor sum_;
  std::int64_t count_ = 0;
};

// The centroid of activations [prompts, rows, hidden].
Centroid centroid_of(const at::Tensor& activations);

// Euclidean norm of each row of [rows, hidden].
std::vector<double> row_norms(const at::Tensor& rows);

// Cosine of each row of `a` with the same row of `b`, in float64; nothing where either is zero.
RowScores row_cosines(const at::Tensor& a, const at::Tensor& b);

// The angle in degrees, 0..180, whose cosine this is (rounding beyond +-1 is taken as +-1).
double angle_of(double cosine);

// How far mean(plus) - mean(minus) is one direction (arXiv 2602.17881 finds that this predicts whether
// steering works): by row, the mean cosine with it of each single difference, plus[i] - mean(minus) and
// mean(plus) - minus[j]. Both are [prompts, rows, hidden]. Zero differences are left out; nothing where none
// is left. With few prompts it is large by itself, since every difference is part of the mean: about 1 /
// sqrt(n) for noise.
RowScores difference_agreement(const at::Tensor& plus, const at::Tensor& minus);

// max over rows of |a - b| / |b|: how far two computations of the same rows are apart. Rows of zeros in `b`
// count by |a| itself.
double largest_relative_difference(const at::Tensor& a, const at::Tensor& b);

}  // namespace hrt
