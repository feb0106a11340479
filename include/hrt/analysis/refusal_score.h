#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace hrt {

// Arditi et al. (arXiv 2406.11717, section 2.3 and select_direction.py), from logits [prompts, vocab] at one
// position. Computed in float64; NaN logits give NaN, which the selection of directions removes.

// log(p + 1e-8) - log(1 - p + 1e-8), p being the mass on `tokens`, the first tokens of refusals. One a
// prompt.
std::vector<double> refusal_scores(const at::Tensor& logits, std::span<const std::int64_t> tokens);

// What the released selection adds to probabilities before it takes their logarithm.
inline constexpr double kArditiKlEpsilon = 1e-6;

// KL(base || other) in nats, sum p (log(p + epsilon) - log(q + epsilon)). With epsilon 0 it is the divergence
// itself; with kArditiKlEpsilon what the released threshold of 0.1 was set for. One a prompt.
std::vector<double> kl_divergences(const at::Tensor& base, const at::Tensor& other, double epsilon = 0);

}  // namespace hrt
