#include "sampler.h"

#include <ATen/ops/softmax.h>
#include <ATen/ops/sort.h>

namespace hrt {

std::int64_t sample_token(const at::Tensor& logits, const Sampling& sampling, Random& random) {
  const at::Tensor scaled = logits.to(at::kCPU, at::kDouble).div(sampling.temperature);
  const auto [sorted, order] = at::softmax(scaled, 0).sort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  const double* mass = sorted.const_data_ptr<double>();
  std::int64_t count = 0;
  double kept = 0;
  while (count < sorted.size(0) && (count == 0 || kept < sampling.top_p)) kept += mass[count++];
  double left = random.uniform() * kept;
  std::int64_t chosen = 0;
  while (chosen + 1 < count && left >= mass[chosen]) left -= mass[chosen++];
  return order[chosen].item<std::int64_t>();
}

}  // namespace hrt
