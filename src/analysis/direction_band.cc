#include "hrt/analysis/direction_band.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mm.h>

#include <cmath>

#include "tensors.h"

namespace hrt {
namespace {

// A direction is a weighting of prompts, drawn[i] / n+ for those of the one side and -drawn[i] / n- for the
// other. Nothing where a side has none.
std::optional<std::vector<double>> prompt_weights(const std::vector<Side>& sides,
                                                  const std::vector<double>& drawn) {
  double plus = 0;
  double minus = 0;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    if (sides[i] == Side::kPlus) plus += drawn[i];
    if (sides[i] == Side::kMinus) minus += drawn[i];
  }
  if (plus == 0 || minus == 0) return std::nullopt;
  std::vector<double> weights(sides.size());
  for (std::size_t i = 0; i < sides.size(); ++i) {
    if (sides[i] == Side::kPlus) weights[i] = drawn[i] / plus;
    if (sides[i] == Side::kMinus) weights[i] = -drawn[i] / minus;
  }
  return weights;
}

// The weights of both directions in the sample as it is (first) and in every resample: [draws, prompts] each.
struct Draws {
  std::vector<double> first;
  std::vector<double> second;

  bool add(const Contrast& a, const Contrast& b, const std::vector<double>& drawn) {
    const auto of_a = prompt_weights(a.sides, drawn);
    const auto of_b = prompt_weights(b.sides, drawn);
    if (!of_a || !of_b) return false;
    first.insert(first.end(), of_a->begin(), of_a->end());
    second.insert(second.end(), of_b->begin(), of_b->end());
    return true;
  }
};

// [prompts, hidden] of one row. Weights sum to 0, so that directions do not see the shift by the mean; with
// it, equal rows are exact zeros, and products keep the digits in which prompts differ.
at::Tensor centred_row(const at::Tensor& activations, std::int64_t row) {
  const at::Tensor values = activations.select(1, row).to(at::kDouble);
  return values - values.mean(0);
}

// For each draw the product of its two directions. They are combinations of prompts: the prompts' products
// with each other are computed once, and no direction ever is.
std::vector<double> products(const at::Tensor& a, const at::Tensor& b, const at::Tensor& of_a,
                             const at::Tensor& of_b) {
  return to_vector((at::mm(of_a, at::mm(a, b.t())) * of_b).sum(-1));
}

CosineBand row_band(const at::Tensor& a, const at::Tensor& b, const at::Tensor& of_a,
                    const at::Tensor& of_b) {
  const auto dots = products(a, b, of_a, of_b);
  const auto squares_a = products(a, a, of_a, of_a);
  const auto squares_b = products(b, b, of_b, of_b);
  CosineBand band;
  std::vector<double> resampled;
  for (std::size_t i = 0; i < dots.size(); ++i) {
    if (squares_a[i] <= 0 || squares_b[i] <= 0) continue;
    const double cosine = dots[i] / std::sqrt(squares_a[i] * squares_b[i]);
    if (i == 0) {
      band.cosine = cosine;
    } else {
      resampled.push_back(cosine);
    }
  }
  if (band.cosine) band.interval = percentile_interval(std::move(resampled));
  return band;
}

}  // namespace

std::vector<CosineBand> direction_cosine_band(const Contrast& first, const Contrast& second,
                                              Resampler resampler, int resamples) {
  const std::int64_t rows = first.activations.size(1);
  std::vector<CosineBand> bands(static_cast<std::size_t>(rows));
  Draws draws;
  if (!draws.add(first, second, std::vector<double>(first.sides.size(), 1.0))) return bands;
  for (int i = 0; resampler.units() > 1 && i < resamples; ++i) {
    std::vector<double> drawn(first.sides.size());
    for (const std::int64_t prompt : resampler.draw()) drawn[static_cast<std::size_t>(prompt)] += 1;
    draws.add(first, second, drawn);
  }
  const at::Tensor of_first = to_tensor(draws.first).view({-1, std::ssize(first.sides)});
  const at::Tensor of_second = to_tensor(draws.second).view({-1, std::ssize(second.sides)});
  for (std::int64_t row = 0; row < rows; ++row) {
    bands[static_cast<std::size_t>(row)] = row_band(
        centred_row(first.activations, row), centred_row(second.activations, row), of_first, of_second);
  }
  return bands;
}

}  // namespace hrt
