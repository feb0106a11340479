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
// mean(plus) - minus[j]. Zero differences are left out; nothing where none is left. With few prompts it is
// large by itself, since every difference is part of the mean: see `agreement_of_noise`.
class DifferenceAgreement {
 public:
  // The means of both sides, [rows, hidden].
  DifferenceAgreement(const at::Tensor& plus_mean, const at::Tensor& minus_mean);

  // One prompt's rows, [rows, hidden], of those that its side's mean is made of.
  void add(Side side, const at::Tensor& rows);
  RowScores by_row() const;

 private:
  at::Tensor plus_mean_;
  at::Tensor minus_mean_;
  at::Tensor direction_;
  std::vector<RowScores> cosines_;  // by prompt
};

// The same of all prompts at once, [prompts, rows, hidden].
RowScores difference_agreement(const at::Tensor& plus, const at::Tensor& minus);

// What it is where all activations are noise around one mean (in many dimensions): for a prompt of the plus
// side sqrt(v / (1 + 1 / minus)) with v = 1 / plus + 1 / minus, and alike for the other.
double agreement_of_noise(std::int64_t plus_count, std::int64_t minus_count);

// max over rows of |a - b| / |b|: how far two computations of the same rows are apart. Rows of zeros in `b`
// count by |a| itself.
double largest_relative_difference(const at::Tensor& a, const at::Tensor& b);

}  // namespace hrt
