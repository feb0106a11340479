#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "hrt/model/batch.h"
#include "hrt/model/decoder.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/model/kv_cache.h"
#include "norm.h"
#include "rope.h"

namespace hrt {

// Attention over one batch: made once a batch, used by every layer.
class AttentionStep {
 public:
  virtual ~AttentionStep() = default;
  // Adds `bias` (unless undefined) to `qkv` [tokens, (heads + 2 kv_heads) * head_dim], rotates queries in
  // place and keys on their way into the cache, and stores the values there. `rope`: the layer's, of the
  // whole batch.
  virtual void store(at::Tensor& qkv, const at::Tensor& bias, const RopeTable& rope, std::int64_t layer) = 0;
  // From now on attend() works on these rows of the batch alone.
  virtual void narrow(const Batch& kept) = 0;
  // softmax(cap(q k * query_scale)) v of each query's own sequence, into `out` [tokens, heads * head_dim]. A
  // query at position p sees the keys at p - window < k <= p, all k <= p with window 0. `qkv` is what store()
  // left, and has the rows of the narrowed batch.
  // `sinks` [heads], unless undefined: of each head, the score of one more key, whose value is zero.
  virtual void attend(const at::Tensor& qkv, std::int64_t layer, std::int64_t window, const at::Tensor& sinks,
                      at::Tensor& out) = 0;
};

// The decoder's arithmetic beside matrix products, for one device and dtype. Matrices are [tokens, width] and
// contiguous.
class Kernels {
 public:
  virtual ~Kernels() = default;
  virtual KvLayout layout() const = 0;
  // residual += delta (unless undefined), then out = norm(residual).
  virtual void add_norm(at::Tensor& residual, const at::Tensor& delta, const Norm& norm,
                        at::Tensor& out) const = 0;
  // Norms each x[i, j] of x [rows, groups, width] in place; the first two dimensions may have any strides.
  virtual void norm_groups(at::Tensor x, const Norm& norm) const = 0;
  // out = activation(gate) * up, where gate_up [tokens, 2 * intermediate] holds gate and up side by side; or
  // out = activation(gate_up), where it is no wider than `out`. `bias` (unless undefined) is added first.
  virtual void gate(const at::Tensor& gate_up, const at::Tensor& bias, Activation activation,
                    at::Tensor& out) const = 0;
  // The same of gate and up, with this between them.
  virtual void clamped_swiglu(const at::Tensor& gate_up, const at::Tensor& bias, const ClampedSwiglu& clamped,
                              at::Tensor& out) const = 0;
  virtual std::vector<Choice> best(const at::Tensor& logits) const = 0;
  // `batch` and `cache` must outlive the result.
  virtual std::unique_ptr<AttentionStep> attention(const DecoderSpec& spec, const Batch& batch,
                                                   KvCache& cache) const = 0;
};

// Plain ATen operations: any device, any floating-point dtype.
std::unique_ptr<Kernels> make_aten_kernels();
// Fused kernels for float32 on the CPU.
std::unique_ptr<Kernels> make_cpu_kernels();

std::unique_ptr<AttentionStep> make_aten_attention(const DecoderSpec& spec, const Batch& batch,
                                                   KvCache& cache);
std::unique_ptr<AttentionStep> make_cpu_attention(const DecoderSpec& spec, const Batch& batch,
                                                  KvCache& cache);

// What scores are multiplied by before they are capped.
double query_scale(const DecoderSpec& spec);
// x becomes cap * tanh(x / cap), in place; nothing with a cap of 0.
void softcap(at::Tensor& x, double cap);
// LayerNorm of the last dimension, [..., width], by ATen.
at::Tensor layer_norm(const at::Tensor& x, const Norm& norm);

}  // namespace hrt
