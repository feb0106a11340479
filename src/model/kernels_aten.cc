#include <ATen/ops/gelu.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/topk.h>

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

class AtenKernels : public Kernels {
 public:
  KvLayout layout() const override { return KvLayout::kTokens; }

  void add_norm(at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight, double eps,
                at::Tensor& out) const override {
    if (delta.defined()) residual.add_(delta);
    const at::Tensor x = residual.to(at::kFloat);
    const at::Tensor scale = x.square().mean(-1, /*keepdim=*/true).add_(eps).rsqrt_();
    at::mul_out(out, weight, x.mul(scale).to(residual.scalar_type()));
  }

  void gate(const at::Tensor& gate_up, const at::Tensor& bias, Activation activation,
            at::Tensor& out) const override {
    const at::Tensor sum = bias.defined() ? gate_up.add(bias) : gate_up;
    const std::int64_t width = gate_up.size(1) / 2;
    at::mul_out(out, activate(sum.narrow(1, 0, width), activation), sum.narrow(1, width, width));
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

  std::unique_ptr<AttentionStep> attention(const DecoderSpec& spec, const Batch& batch, KvCache& cache,
                                           const RopeTable& rope) const override {
    return make_aten_attention(spec, batch, cache, rope);
  }
};

}  // namespace

std::unique_ptr<Kernels> make_aten_kernels() { return std::make_unique<AtenKernels>(); }

}  // namespace hrt
