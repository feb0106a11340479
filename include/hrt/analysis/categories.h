#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hrt/analysis/directions.h"
#include "hrt/analysis/interval.h"

namespace hrt {

// Directions by risk category (Zhao et al., arXiv 2507.11878, fig. 9): a category's centroid minus one common
// base (harmless prompts for harmfulness, accepted harmless ones for refusal).

// [categories, rows, hidden] float64 from activations [prompts, rows, hidden]; categories[i] in [0, count) is
// that of prompt i. A category without prompts has a zero direction, whose cosines are nothing.
at::Tensor category_directions(const at::Tensor& activations, std::span<const std::int64_t> categories,
                               std::int64_t count, const at::Tensor& base);

// Symmetric; nothing where one of the two directions is zero.
class CosineMatrix {
 public:
  explicit CosineMatrix(std::int64_t size) : size_(size), values_(static_cast<std::size_t>(size * size)) {}

  std::int64_t size() const { return size_; }
  const std::optional<double>& at(std::int64_t i, std::int64_t j) const { return values_[index(i, j)]; }
  std::optional<double>& at(std::int64_t i, std::int64_t j) { return values_[index(i, j)]; }

 private:
  std::size_t index(std::int64_t i, std::int64_t j) const { return static_cast<std::size_t>(i * size_ + j); }

  std::int64_t size_;
  std::vector<std::optional<double>> values_;
};

// The cosines of directions [categories, rows, hidden] with each other: one matrix a row.
std::vector<CosineMatrix> cosine_matrices(const at::Tensor& directions);

// The mean over rows, row 0 and undefined cosines left out. rows[i] is the number of the row of matrices[i],
// of which there is at least one.
CosineMatrix mean_matrix(std::span<const CosineMatrix> matrices, std::span<const std::int64_t> rows);

// Each category's mean cosine with the others (not with itself); nothing where none is defined.
std::vector<std::optional<double>> mean_with_others(const CosineMatrix& matrix);

// Of each category's mean cosine with the others, as `mean_with_others` of the `mean_matrix` gives it: the
// basic bootstrap interval, 2 value - quantiles, prompts being drawn anew within each category. Resampled
// directions are noisier than the directions themselves, so that their quantiles lie too low; the basic
// interval turns that round. Arguments as above; at most 1. Nothing where no cosine is defined, and for
// a category of one prompt, which has no spread to see.
std::vector<std::optional<Interval>> mean_with_others_intervals(const at::Tensor& activations,
                                                                std::span<const std::int64_t> categories,
                                                                std::int64_t count, const at::Tensor& base,
                                                                std::span<const std::int64_t> rows,
                                                                std::uint64_t seed, int resamples = 200);

// The order of leaves of the average-linkage tree on 1 - cosine, so that similar categories stand together;
// of two branches the one that was formed first comes first (scipy's leaves_list). An undefined cosine counts
// as 0.
std::vector<std::int64_t> hierarchical_order(const CosineMatrix& matrix);

// What noise alone leaves of a category's cosine with itself: by row, the cosine of directions from two
// random halves of its activations [prompts, rows, hidden], averaged over `splits` seeded splits. A cosine
// with another category says something only where it is below this. Nothing for fewer than two prompts.
RowScores split_half_cosines(const at::Tensor& activations, const at::Tensor& base, std::uint64_t seed,
                             int splits = 20);

// Halves are noisier than the whole: the cosine to expect of two directions from as many prompts as both
// halves together, 2r / (1 + r) (Spearman-Brown). Nothing for r <= 0, which shows no common direction.
std::optional<double> whole_from_halves(double cosine);

}  // namespace hrt
