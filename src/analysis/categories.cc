#include "hrt/analysis/categories.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "hrt/analysis/bootstrap.h"
#include "hrt/base/random.h"
#include "optional_mean.h"
#include "tensors.h"

namespace hrt {
namespace {

CosineMatrix cosine_matrix(const at::Tensor& directions) {
  const at::Tensor unit = unit_rows(directions);
  const std::vector<double> cosines = to_vector(at::mm(unit, unit.t()));
  const std::vector<double> norms = row_norms(directions);
  CosineMatrix matrix(directions.size(0));
  for (std::size_t i = 0; i < norms.size(); ++i) {
    for (std::size_t j = 0; j < norms.size(); ++j) {
      if (norms[i] == 0 || norms[j] == 0) continue;
      matrix.at(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)) = cosines[i * norms.size() + j];
    }
  }
  return matrix;
}

using Leaves = std::vector<std::int64_t>;

double mean_distance(const Leaves& a, const Leaves& b, const CosineMatrix& matrix) {
  double sum = 0;
  for (const std::int64_t i : a) {
    for (const std::int64_t j : b) sum += 1 - matrix.at(i, j).value_or(0);
  }
  return sum / static_cast<double>(a.size() * b.size());
}

// The two branches that are closest; the first such pair.
std::pair<std::size_t, std::size_t> closest(const std::vector<Leaves>& branches, const CosineMatrix& matrix) {
  std::pair<std::size_t, std::size_t> best{0, 1};
  double shortest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < branches.size(); ++i) {
    for (std::size_t j = i + 1; j < branches.size(); ++j) {
      const double distance = mean_distance(branches[i], branches[j], matrix);
      if (distance >= shortest) continue;
      shortest = distance;
      best = {i, j};
    }
  }
  return best;
}

RowScores one_split(const at::Tensor& activations, const at::Tensor& base, std::uint64_t seed) {
  const std::int64_t prompts = activations.size(0);
  std::vector<bool> in_first(static_cast<std::size_t>(prompts));
  for (const std::int64_t i : sample_indices(prompts, prompts / 2, seed))
    in_first[static_cast<std::size_t>(i)] = true;
  Centroid first;
  Centroid second;
  for (std::int64_t i = 0; i < prompts; ++i) {
    (in_first[static_cast<std::size_t>(i)] ? first : second).add(activations[i]);
  }
  return row_cosines(first.mean() - base, second.mean() - base);
}

// A category's prompts, drawn anew.
class ResampledCategory {
 public:
  ResampledCategory(const at::Tensor& activations, const std::vector<std::int64_t>& prompts,
                    std::uint64_t seed)
      : size_(std::ssize(prompts)), resampler_(size_, seed) {
    if (size_ > 0) rows_ = activations.index_select(0, indices(prompts)).to(at::kDouble).flatten(1);
  }

  // [rows * hidden]; zero for a category without prompts.
  at::Tensor draw_direction(const at::Tensor& base) {
    if (size_ == 0) return at::zeros_like(base);
    std::vector<double> weights(static_cast<std::size_t>(size_));
    for (const std::int64_t prompt : resampler_.draw())
      weights[static_cast<std::size_t>(prompt)] += 1 / static_cast<double>(size_);
    return at::mv(rows_.t(), to_tensor(weights)) - base;
  }

 private:
  static at::Tensor indices(const std::vector<std::int64_t>& prompts) {
    return at::tensor(at::ArrayRef<std::int64_t>(prompts), at::kLong);
  }

  std::int64_t size_;
  Resampler resampler_;
  at::Tensor rows_;  // [prompts, rows * hidden] float64
};

std::vector<ResampledCategory> resampled_categories(const at::Tensor& activations,
                                                    std::span<const std::int64_t> categories,
                                                    std::int64_t count, std::uint64_t seed) {
  std::vector<std::vector<std::int64_t>> members(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < categories.size(); ++i)
    members[static_cast<std::size_t>(categories[i])].push_back(static_cast<std::int64_t>(i));
  std::vector<ResampledCategory> resampled;
  for (const auto& prompts : members) resampled.emplace_back(activations, prompts, seed++);
  return resampled;
}

std::optional<Interval> basic_interval(double value, std::vector<double> resampled) {
  const auto quantiles = percentile_interval(std::move(resampled));
  if (!quantiles) return std::nullopt;
  return Interval{std::min(2 * value - quantiles->high, 1.0), std::min(2 * value - quantiles->low, 1.0)};
}

}  // namespace

std::vector<std::optional<Interval>> mean_with_others_intervals(const at::Tensor& activations,
                                                                std::span<const std::int64_t> categories,
                                                                std::int64_t count, const at::Tensor& base,
                                                                std::span<const std::int64_t> rows,
                                                                std::uint64_t seed, int resamples) {
  const auto means_of = [&](const at::Tensor& directions) {
    return mean_with_others(mean_matrix(cosine_matrices(directions), rows));
  };
  const at::Tensor exact = base.to(at::kDouble).flatten();
  auto resampled = resampled_categories(activations, categories, count, seed);
  std::vector<std::vector<double>> values(static_cast<std::size_t>(count));
  for (int i = 0; i < resamples; ++i) {
    std::vector<at::Tensor> directions;
    for (ResampledCategory& category : resampled)
      directions.push_back(category.draw_direction(exact).view(base.sizes()));
    const auto means = means_of(at::stack(directions));
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (means[c]) values[c].push_back(*means[c]);
    }
  }
  const auto found = means_of(category_directions(activations, categories, count, base));
  std::vector<std::optional<Interval>> intervals;
  for (std::size_t c = 0; c < values.size(); ++c) {
    const bool several = std::ranges::count(categories, static_cast<std::int64_t>(c)) > 1;
    intervals.push_back(found[c] && several ? basic_interval(*found[c], std::move(values[c])) : std::nullopt);
  }
  return intervals;
}

at::Tensor category_directions(const at::Tensor& activations, std::span<const std::int64_t> categories,
                               std::int64_t count, const at::Tensor& base) {
  std::vector<Centroid> centroids(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < categories.size(); ++i) {
    centroids[static_cast<std::size_t>(categories[i])].add(activations[static_cast<std::int64_t>(i)]);
  }
  const at::Tensor exact = base.to(at::kDouble);
  std::vector<at::Tensor> directions;
  directions.reserve(centroids.size());
  for (const Centroid& centroid : centroids) {
    directions.push_back(centroid.count() > 0 ? centroid.mean() - exact : at::zeros_like(exact));
  }
  return at::stack(directions);
}

std::vector<CosineMatrix> cosine_matrices(const at::Tensor& directions) {
  std::vector<CosineMatrix> matrices;
  for (std::int64_t row = 0; row < directions.size(1); ++row) {
    matrices.push_back(cosine_matrix(directions.select(1, row)));
  }
  return matrices;
}

CosineMatrix mean_matrix(std::span<const CosineMatrix> matrices, std::span<const std::int64_t> rows) {
  CosineMatrix mean(matrices.front().size());
  for (std::int64_t i = 0; i < mean.size(); ++i) {
    for (std::int64_t j = 0; j < mean.size(); ++j) {
      RowScores cosines;
      cosines.reserve(matrices.size());
      for (const CosineMatrix& matrix : matrices) cosines.push_back(matrix.at(i, j));
      mean.at(i, j) = row_mean(cosines, rows).without_row_0;
    }
  }
  return mean;
}

std::vector<std::optional<double>> mean_with_others(const CosineMatrix& matrix) {
  std::vector<std::optional<double>> means;
  for (std::int64_t i = 0; i < matrix.size(); ++i) {
    OptionalMean mean;
    for (std::int64_t j = 0; j < matrix.size(); ++j) {
      if (j != i) mean.add(matrix.at(i, j));
    }
    means.push_back(mean.value());
  }
  return means;
}

std::vector<std::int64_t> hierarchical_order(const CosineMatrix& matrix) {
  std::vector<Leaves> branches;  // in the order in which they were formed
  for (std::int64_t i = 0; i < matrix.size(); ++i) branches.push_back({i});
  while (branches.size() > 1) {
    const auto [i, j] = closest(branches, matrix);
    Leaves joined = branches[i];
    joined.insert(joined.end(), branches[j].begin(), branches[j].end());
    branches.erase(branches.begin() + static_cast<std::ptrdiff_t>(j));
    branches.erase(branches.begin() + static_cast<std::ptrdiff_t>(i));
    branches.push_back(std::move(joined));
  }
  return branches.empty() ? Leaves{} : branches.front();
}

RowScores split_half_cosines(const at::Tensor& activations, const at::Tensor& base, std::uint64_t seed,
                             int splits) {
  if (activations.size(0) < 2) return RowScores(static_cast<std::size_t>(activations.size(1)));
  Random random(seed);
  std::vector<RowScores> cosines;
  cosines.reserve(static_cast<std::size_t>(splits));
  for (int i = 0; i < splits; ++i) cosines.push_back(one_split(activations, base, random.next()));
  return mean_by_row(cosines);
}

std::optional<double> whole_from_halves(double cosine) {
  if (cosine <= 0) return std::nullopt;
  return 2 * cosine / (1 + cosine);
}

}  // namespace hrt
