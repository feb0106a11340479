#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/topk.h>

#include <cmath>

#include "kernels.h"

namespace hrt {

namespace {

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::kSilu:
      return at::silu(x);
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kGeluTanh:
      return at::gelu(x, "tanh");
    case Activation::kRelu:
      return at::relu(x);
  }
  return x;
}

// Float32 weights are multiplied by before anything is rounded.
void norm_to(const at::Tensor& x, const Norm& norm, at::Tensor& out) {
  if (norm.kind == NormKind::kLayer) {
    out.copy_(layer_norm(x, norm));
    return;
  }
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = wide.square().mean(-1, /*keepdim=*/true).add_(norm.eps).rsqrt_();
  at::mul_out(out, norm.weight, wide.mul(scale).to(norm.weight.scalar_type()));
}

class AtenKernels : public Kernels {
 public:
  KvLayout layout() const override { return KvLayout::kTokens; }

  void add_norm(at::Tensor& residual, const at::Tensor& delta, const Norm& norm,
                at::Tensor& out) const override {
    if (delta.defined()) residual.add_(delta);
    norm_to(residual, norm, out);
  }

  void norm_groups(at::Tensor x, const Norm& norm) const override { norm_to(x, norm, x); }

  void gate(const at::Tensor& gate_up, const at::Tensor& bias, Activation activation,
            at::Tensor& out) const override {
    const at::Tensor sum = bias.defined() ? gate_up.add(bias) : gate_up;
    const std::int64_t width = out.size(1);
    const at::Tensor active = activate(sum.narrow(1, 0, width), activation);
    if (sum.size(1) == width) {
      out.copy_(active);
    } else {
      at::mul_out(out, active, sum.narrow(1, width, width));
    }
  }

  void clamped_swiglu(const at::Tensor& gate_up, const at::Tensor& bias, const ClampedSwiglu& clamped,
                      at::Tensor& out) const override {
    const at::Tensor sum = bias.defined() ? gate_up.add(bias) : gate_up;
    const at::Tensor gate = sum.narrow(1, 0, out.size(1)).clamp_max(clamped.limit);
    const at::Tensor up = sum.narrow(1, out.size(1), out.size(1)).clamp(-clamped.limit, clamped.limit);
    at::mul_out(out, up.add_(1), gate.mul(clamped.alpha).sigmoid_().mul_(gate));
  }

  std::vector<Choice> best(const at::Tensor& logits) const override {
    const auto [values, tokens] = logits.to(at::kFloat).topk(2);
    const at::Tensor value = values.cpu();
    const at::Tensor token = tokens.cpu();
    const float* v = value.const_data_ptr<float>();
    const std::int64_t* t = token.const_data_ptr<std::int64_t>();
    std::vector<Choice> choices;
    for (std::int64_t row = 0; row < logits.size(0); ++row, v += 2, t += 2) {
      choices.push_back({.token = t[0], .margin = v[0] - v[1], .finite = std::isfinite(v[0])});
    }
    return choices;
  }

  std::unique_ptr<AttentionStep> attention(const DecoderSpec& spec, const Batch& batch,
                                           KvCache& cache) const override {
    return make_aten_attention(spec, batch, cache);
  }
};

}  // namespace

double query_scale(const DecoderSpec& spec) {
  return spec.query_scale.value_or(1.0 / std::sqrt(static_cast<double>(spec.head_dim)));
}

void softcap(at::Tensor& x, double cap) {
  if (cap > 0) x.div_(cap).tanh_().mul_(cap);
}

at::Tensor layer_norm(const at::Tensor& x, const Norm& norm) {
  return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, norm.eps);
}

std::unique_ptr<Kernels> make_aten_kernels() { return std::make_unique<AtenKernels>(); }

}  // namespace hrt
