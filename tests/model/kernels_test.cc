#include "kernels.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "golden.h"

namespace hrt {
namespace {

using test::worst_difference;

// The fused CPU kernels against the plain ATen ones, at sizes that are and are not multiples of a vector.
class CpuKernels : public testing::TestWithParam<std::int64_t> {
 protected:
  const c10::InferenceMode inference_;
  const std::int64_t width_ = GetParam();
  const std::unique_ptr<Kernels> fused_ = make_cpu_kernels();
  const std::unique_ptr<Kernels> plain_ = make_aten_kernels();
};

TEST_P(CpuKernels, AddNorm) {
  const at::Tensor weight = at::randn({width_});
  for (const at::Tensor& delta : {at::Tensor(), at::randn({7, width_})}) {
    at::Tensor residual = at::randn({7, width_});
    at::Tensor expected_residual = residual.clone();
    at::Tensor out = at::empty({7, width_});
    at::Tensor expected = at::empty({7, width_});
    const Norm norm{.eps = 1e-5, .weight = weight};
    fused_->add_norm(residual, delta, norm, out);
    plain_->add_norm(expected_residual, delta, norm, expected);
    EXPECT_TRUE(residual.equal(expected_residual));
    EXPECT_LE(worst_difference(out, expected), 1e-6);
  }
}

TEST_P(CpuKernels, NormGroupsOfAPartOfEachRow) {
  const Norm norms[] = {
      {.weight = at::randn({width_})},
      {.kind = NormKind::kLayer, .weight = at::randn({width_}), .bias = at::randn({width_})}};
  for (const Norm& norm : norms) {
    const at::Tensor rows = at::randn({7, 4 * width_ + 5});
    const at::Tensor expected = rows.clone();
    const auto part = [&](const at::Tensor& all) {
      return all.narrow(1, width_, 3 * width_).view({7, 3, width_});
    };
    fused_->norm_groups(part(rows), norm);
    plain_->norm_groups(part(expected), norm);
    EXPECT_LE(worst_difference(part(rows), part(expected)), 1e-6);
    EXPECT_TRUE(rows.narrow(1, 0, width_).equal(expected.narrow(1, 0, width_)));
    EXPECT_TRUE(rows.narrow(1, 4 * width_, 5).equal(expected.narrow(1, 4 * width_, 5)));
  }
}

TEST_P(CpuKernels, ActivationWithoutGate) {
  const at::Tensor up = at::randn({7, width_}).mul_(6);
  for (const at::Tensor& bias : {at::Tensor(), at::randn({width_})}) {
    at::Tensor out = at::empty({7, width_});
    at::Tensor expected = at::empty({7, width_});
    fused_->gate(up, bias, Activation::kGeluTanh, out);
    plain_->gate(up, bias, Activation::kGeluTanh, expected);
    EXPECT_LE(out.sub(expected).abs().max().item<float>(), 1e-5);
  }
}

TEST_P(CpuKernels, Gate) {
  const at::Tensor gate_up = at::randn({7, 2 * width_}).mul_(6);
  for (const at::Tensor& bias : {at::Tensor(), at::randn({2 * width_})}) {
    for (const Activation activation :
         {Activation::kSilu, Activation::kGelu, Activation::kGeluTanh, Activation::kRelu}) {
      at::Tensor out = at::empty({7, width_});
      at::Tensor expected = at::empty({7, width_});
      fused_->gate(gate_up, bias, activation, out);
      plain_->gate(gate_up, bias, activation, expected);
      EXPECT_LE(out.sub(expected).abs().max().item<float>(), 1e-6 * gate_up.square().max().item<float>());
    }
  }
}

TEST_P(CpuKernels, ClampedSwiglu) {
  const at::Tensor gate_up = at::randn({7, 2 * width_}).mul_(6);  // beyond the limit on both sides
  for (const at::Tensor& bias : {at::Tensor(), at::randn({2 * width_})}) {
    at::Tensor out = at::empty({7, width_});
    at::Tensor expected = at::empty({7, width_});
    fused_->clamped_swiglu(gate_up, bias, {.alpha = 1.4, .limit = 3}, out);
    plain_->clamped_swiglu(gate_up, bias, {.alpha = 1.4, .limit = 3}, expected);
    EXPECT_LE(out.sub(expected).abs().max().item<float>(), 1e-5);
    EXPECT_LE(out.abs().max().item<float>(), 12);
  }
}

TEST_P(CpuKernels, GateOfExtremesIsFinite) {
  at::Tensor gate_up = at::randn({1, 2 * width_});
  gate_up.narrow(1, 0, width_).fill_(-1e30);
  at::Tensor out = at::empty({1, width_});
  fused_->gate(gate_up, {}, Activation::kSilu, out);
  EXPECT_EQ(out.abs().max().item<float>(), 0);
}

TEST_P(CpuKernels, Best) {
  at::Tensor logits = at::randn({40, width_});
  for (std::int64_t i = 0; i < 40; ++i) logits[i][(i * 7) % width_] = 4 + static_cast<double>(i % 3);
  const std::vector<Choice> fused = fused_->best(logits);
  const std::vector<Choice> plain = plain_->best(logits);
  for (std::size_t i = 0; i < fused.size(); ++i) {
    EXPECT_EQ(fused[i].token, plain[i].token);
    EXPECT_NEAR(fused[i].margin, plain[i].margin, 1e-6);
    EXPECT_TRUE(fused[i].finite);
  }
}

TEST_P(CpuKernels, BestSaysWhenThereIsNone) {
  at::Tensor logits = at::randn({1, width_});
  logits.fill_(std::nan(""));
  EXPECT_FALSE(fused_->best(logits)[0].finite);
  logits.fill_(0).select(1, width_ - 1).fill_(std::numeric_limits<float>::infinity());
  EXPECT_FALSE(fused_->best(logits)[0].finite);
}

INSTANTIATE_TEST_SUITE_P(Widths, CpuKernels, testing::Values(2, 16, 40, 77, 256));

// Attention of several sequences through both kinds of cache.
struct AttentionCase {
  std::int64_t heads;
  std::int64_t kv_heads;
  std::int64_t head_dim;
  std::int64_t window;
  std::int64_t rotary_dim;
  double softcap = 0;
  bool sinks = false;
};

void PrintTo(const AttentionCase& c, std::ostream* out) {
  *out << c.heads << " of " << c.kv_heads << " heads, width " << c.head_dim << ", window " << c.window
       << ", rotary " << c.rotary_dim << ", softcap " << c.softcap << (c.sinks ? ", sinks" : "");
}

class CpuAttention : public testing::TestWithParam<AttentionCase> {
 protected:
  DecoderSpec spec() const {
    DecoderSpec spec;
    spec.layers = 1;
    spec.heads = GetParam().heads;
    spec.kv_heads = GetParam().kv_heads;
    spec.head_dim = GetParam().head_dim;
    spec.max_positions = 1024;
    spec.rotary_dim = GetParam().rotary_dim;
    spec.attention_softcap = GetParam().softcap;
    return spec;
  }

  std::int64_t width() const { return (GetParam().heads + 2 * GetParam().kv_heads) * GetParam().head_dim; }

  // A prefix of 21 tokens, then sequences that share it: `lengths` tokens each, twice.
  std::vector<at::Tensor> run(const Kernels& kernels, const std::vector<at::Tensor>& inputs,
                              const std::vector<std::int64_t>& lengths) const {
    const DecoderSpec decoder = spec();
    const Rope rope(decoder.rope, decoder.rotary_dim, decoder.max_positions);
    KvCache cache(decoder, 200, at::TensorOptions(at::kFloat), kernels.layout());
    const at::Tensor sinks = at::linspace(-8, 8, decoder.heads);
    KvSequence prefix;
    std::vector<KvSequence> sequences(lengths.size());
    std::vector<at::Tensor> outputs;
    for (std::size_t pass = 0; pass < inputs.size(); ++pass) {
      Batch batch;
      const auto add = [&](KvSequence& kv, std::int64_t count) {
        const std::vector<std::int64_t> tokens(static_cast<std::size_t>(count), 1);
        batch.add(cache, kv, static_cast<std::int64_t>(batch.parts().size()), tokens, 0);
      };
      if (pass == 0) add(prefix, 21);
      for (std::size_t i = 0; i < lengths.size(); ++i) {
        if (pass == 0) sequences[i] = cache.fork(prefix, prefix.length);
        add(sequences[i], lengths[i]);
      }
      at::Tensor qkv = inputs[pass].narrow(0, 0, batch.size()).clone();
      at::Tensor out = at::empty({batch.size(), GetParam().heads * GetParam().head_dim});
      const auto step = kernels.attention(decoder, batch, cache);
      step->store(qkv, inputs.back().select(0, 0).clone(), rope.table(batch), 0);
      step->attend(qkv, 0, GetParam().window, GetParam().sinks ? sinks : at::Tensor(), out);
      outputs.push_back(out);
    }
    return outputs;
  }
};

TEST_P(CpuAttention, EqualsPlainAttention) {
  const c10::InferenceMode inference;
  const std::vector<std::int64_t> lengths{1, 2, 3, 16, 40, 130, 1};
  const std::vector<at::Tensor> inputs{at::randn({300, width()}), at::randn({300, width()})};
  const auto fused = run(*make_cpu_kernels(), inputs, lengths);
  const auto plain = run(*make_aten_kernels(), inputs, lengths);
  for (std::size_t i = 0; i < fused.size(); ++i) EXPECT_LE(worst_difference(fused[i], plain[i]), 3e-6);
}

INSTANTIATE_TEST_SUITE_P(Shapes, CpuAttention,
                         testing::Values(AttentionCase{4, 4, 64, 0, 64}, AttentionCase{9, 3, 64, 0, 64},
                                         AttentionCase{4, 2, 12, 0, 12}, AttentionCase{8, 1, 80, 0, 80},
                                         AttentionCase{4, 4, 128, 5, 128}, AttentionCase{6, 2, 32, 33, 32},
                                         AttentionCase{4, 2, 64, 0, 16}, AttentionCase{4, 4, 48, 0, 0},
                                         AttentionCase{4, 2, 64, 7, 64, 2.5},
                                         AttentionCase{8, 1, 64, 0, 64, 50},
                                         AttentionCase{8, 2, 64, 0, 64, 0, true},
                                         AttentionCase{6, 2, 16, 7, 16, 0, true}));

}  // namespace
}  // namespace hrt
