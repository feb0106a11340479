#include "mlp.h"

#include <ATen/ops/bincount.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>

namespace hrt {

void Mlp::run(const at::Tensor& x, const MlpWeights& weights, at::Tensor& out) const {
  at::Tensor gate_up = workspace_.take(Workspace::Use::kWide, x.size(0), weights.gate_up.size(1));
  at::mm_out(gate_up, x, weights.gate_up);
  at::Tensor gated = workspace_.take(Workspace::Use::kInner, x.size(0), weights.down.size(0));
  if (spec_.clamped_swiglu) {
    kernels_.clamped_swiglu(gate_up, weights.gate_up_bias, *spec_.clamped_swiglu, gated);
  } else {
    kernels_.gate(gate_up, weights.gate_up_bias, spec_.activation, gated);
  }
  at::mm_out(out, gated, weights.down);
  if (weights.down_bias.defined()) out.add_(weights.down_bias);
}

void Mlp::mix(const at::Tensor& x, const ExpertWeights& weights, at::Tensor& out) const {
  const Routing routing = route(x, weights);
  const std::int64_t per_token = spec_.experts->per_token;
  at::Tensor rows = workspace_.take(Workspace::Use::kRouted, routing.choices.size(0), x.size(1));
  at::index_select_out(rows, x, 0, routing.choices.floor_divide(per_token));
  std::int64_t begin = 0;
  for (std::size_t expert = 0; expert < routing.counts.size(); ++expert) {
    const std::int64_t count = routing.counts[expert];
    if (count == 0) continue;
    at::Tensor of_expert = rows.narrow(0, begin, count);
    run(of_expert, weights.each[expert], of_expert);
    begin += count;
  }
  rows.mul_(routing.weights.view({-1, 1}).index_select(0, routing.choices));
  // Each token's sum goes by rank, whichever other tokens are in the pass.
  at::Tensor by_token = workspace_.take(Workspace::Use::kWide, rows.size(0), rows.size(1));
  at::index_select_out(by_token, rows, 0, routing.choices.argsort());
  at::sum_out(out, by_token.view({x.size(0), per_token, x.size(1)}), 1);
  if (weights.shared_gate.defined()) add_shared(x, weights, out);
}

Mlp::Routing Mlp::route(const at::Tensor& x, const ExpertWeights& weights) const {
  at::Tensor scores = at::mm(x, weights.router);
  if (weights.router_bias.defined()) scores.add_(weights.router_bias);
  auto [chosen, experts] = scores.softmax(-1, at::kFloat).topk(spec_.experts->per_token);
  if (spec_.experts->normalised) chosen.div_(chosen.sum(-1, /*keepdim=*/true));
  const at::Tensor by_choice = experts.view({-1});
  const at::Tensor counts = at::bincount(by_choice, {}, spec_.experts->count).cpu();
  const auto* count = counts.const_data_ptr<std::int64_t>();
  return {.weights = chosen,
          .choices = by_choice.argsort(/*stable=*/true),
          .counts = {count, count + counts.numel()}};
}

void Mlp::add_shared(const at::Tensor& x, const ExpertWeights& weights, at::Tensor& out) const {
  at::Tensor shared = workspace_.take(Workspace::Use::kRouted, x.size(0), x.size(1));
  run(x, weights.shared, shared);
  out.addcmul_(shared, at::mm(x, weights.shared_gate).sigmoid_());
}

}  // namespace hrt
