#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "hrt/model/batch.h"
#include "hrt/model/checkpoint.h"
#include "hrt/model/hooks.h"
#include "hrt/model/kv_cache.h"

namespace hrt {

struct LoadOptions {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;                 // of the run: float32, bfloat16 or float16
  std::function<void(std::int64_t bytes)> progress;  // weights taken in since the last call
};

// What the decoder computes in when a run asks for `dtype`: float16 on the CPU is computed in float32.
at::ScalarType compute_dtype(at::ScalarType dtype, at::Device device);

// Blocks first .. last - 1.
struct BlockRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

// The most likely next token after a row.
struct Choice {
  std::int64_t token = 0;
  double margin = 0;  // its logit minus the second best
  bool finite = true;
};

// The decoder that a DecoderSpec describes, with its weights. Immutable once loaded. A forward pass is made
// of pieces, so that a caller may start in the middle (from a given residual stream), or stop there:
//
//   Batch batch;                              // which tokens of which sequences, see batch.h
//   at::Tensor residual = decoder.embed(batch);
//   decoder.run({0, L}, batch, cache, residual, hooks);
//   decoder.best(residual);
//
// Matrices are [tokens, width], one row a token of the batch, on device() in compute_dtype(). The pieces may
// be called from one thread at a time.
class Decoder {
 public:
  // Loads every weight. Throws InputError on NaN or infinity, naming the tensor.
  Decoder(const Checkpoint& checkpoint, const LoadOptions& options);
  Decoder(Decoder&&) noexcept;
  ~Decoder();

  const DecoderSpec& spec() const { return spec_; }
  at::Device device() const { return device_; }
  at::ScalarType dtype() const { return dtype_; }
  at::ScalarType compute_dtype() const { return hrt::compute_dtype(dtype_, device_); }
  std::int64_t weight_bytes() const;

  KvCache make_cache(std::int64_t pages) const;

  // Row 0 of the residual stream, [tokens, hidden].
  at::Tensor embed(const Batch& batch) const;

  // Takes `residual` (row range.first) through the blocks, in place: it becomes row range.last. Hooks run at
  // the inputs of these blocks and at what their attention and MLP add; at row range.last itself the caller
  // runs them. Where batch.outputs() are set, only these rows are kept from the last block's attention on:
  // `residual` becomes [outputs, hidden] and `batch` becomes batch.only(outputs).
  void run(BlockRange range, Batch& batch, KvCache& cache, at::Tensor& residual,
           std::span<const Hook> hooks) const;

  // Final norm and head of some rows of row L: [rows, vocabulary].
  at::Tensor logits(const at::Tensor& residual) const;
  // The best token after each row. Logits are computed for some rows at a time: `see` is shown those of the
  // rows from `first` on, [some, vocabulary], before they are dropped.
  using SeeLogits = std::function<void(std::int64_t first, const at::Tensor& logits)>;
  std::vector<Choice> best(const at::Tensor& residual, const SeeLogits& see = {}) const;

 private:
  struct Parts;

  DecoderSpec spec_;
  at::Device device_;
  at::ScalarType dtype_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hrt
