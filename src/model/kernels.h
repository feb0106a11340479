#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "hrt/model/batch.h"
#include "hrt/model/decoder.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/model/kv_cache.h"
#include "rope.h"

namespace hrt {

// Attention over one batch: made once a batch, used by every layer.
class AttentionStep {
 public:
  virtual ~AttentionStep() = default;
  // Adds `bias` (unless undefined) to `qkv` [tokens, (heads + 2 kv_heads) * head_dim], rotates queries in
  // place and keys on their way into the cache, and stores the values there.
  virtual void store(at::Tensor& qkv, const at::Tensor& bias, std::int64_t layer) = 0;
  // From now on attend() works on these rows of the batch alone.
  virtual void narrow(const Batch& kept) = 0;
  // softmax(q k / sqrt(head_dim)) v of each query's own sequence, into `out` [tokens, heads * head_dim]. A
  // query at position p sees the keys at p - window < k <= p, all k <= p with window 0. `qkv` is what store()
  // left, and has the rows of the narrowed batch.
  virtual void attend(const at::Tensor& qkv, std::int64_t layer, std::int64_t window, at::Tensor& out) = 0;
};

// The decoder's arithmetic beside matrix products, for one device and dtype. Matrices are [tokens, width] and
// contiguous.
class Kernels {
 public:
  virtual ~Kernels() = default;
  virtual KvLayout layout() const = 0;
  // residual += delta (unless undefined), then out = residual / rms(residual) * weight.
  virtual void add_norm(at::Tensor& residual, const at::Tensor& delta, const at::Tensor& weight, double eps,
                        at::Tensor& out) const = 0;
  // out = activation(gate) * up, where gate_up [tokens, 2 * intermediate] holds gate and up side by side and
  // `bias` (unless undefined) is added first.
  virtual void gate(const at::Tensor& gate_up, const at::Tensor& bias, Activation activation,
                    at::Tensor& out) const = 0;
  virtual std::vector<Choice> best(const at::Tensor& logits) const = 0;
  // `batch` and `cache` must outlive the result.
  virtual std::unique_ptr<AttentionStep> attention(const DecoderSpec& spec, const Batch& batch,
                                                   KvCache& cache, const RopeTable& rope) const = 0;
};

// Plain ATen operations: any device, any floating-point dtype.
std::unique_ptr<Kernels> make_aten_kernels();
// Fused kernels for float32 on the CPU.
std::unique_ptr<Kernels> make_cpu_kernels();

std::unique_ptr<AttentionStep> make_aten_attention(const DecoderSpec& spec, const Batch& batch,
                                                   KvCache& cache, const RopeTable& rope);
std::unique_ptr<AttentionStep> make_cpu_attention(const DecoderSpec& spec, const Batch& batch, KvCache& cache,
                                                  const RopeTable& rope);

}  // namespace hrt
