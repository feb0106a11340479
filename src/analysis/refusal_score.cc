#include "hrt/analysis/refusal_score.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include "tensors.h"

namespace hrt {
namespace {

constexpr double kScoreEpsilon = 1e-8;

at::Tensor log_probabilities(const at::Tensor& logits, double epsilon) {
  if (epsilon == 0) return at::log_softmax(logits, -1, at::kDouble);
  return at::log(at::softmax(logits, -1, at::kDouble) + epsilon);
}

}  // namespace

std::vector<double> refusal_scores(const at::Tensor& logits, std::span<const std::int64_t> tokens) {
  const at::Tensor ids = at::tensor(at::ArrayRef<std::int64_t>(tokens.data(), tokens.size()),
                                    at::TensorOptions(at::kLong).device(logits.device()));
  const at::Tensor mass = at::softmax(logits, -1, at::kDouble).index_select(-1, ids).sum(-1);
  return to_vector(at::log(mass + kScoreEpsilon) - at::log(1 - mass + kScoreEpsilon));
}

std::vector<double> kl_divergences(const at::Tensor& base, const at::Tensor& other, double epsilon) {
  const at::Tensor probabilities = at::softmax(base, -1, at::kDouble);
  const at::Tensor gain = log_probabilities(base, epsilon) - log_probabilities(other, epsilon);
  return to_vector((probabilities * gain).sum(-1));
}

}  // namespace hrt
