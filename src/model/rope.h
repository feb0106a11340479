#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "hrt/model/batch.h"
#include "hrt/model/decoder_spec.h"

namespace hrt {

// Cosines and sines of each packed row, float32 [tokens, head_dim / 2], the attention factor multiplied in.
struct RopeTable {
  at::Tensor cos;
  at::Tensor sin;
};

// Rotary position embedding with the frequencies of transformers' modeling_rope_utils, in the same float32
// arithmetic: at position 1000 a frequency that is off by one ulp already turns a key by 6e-5.
class Rope {
 public:
  explicit Rope(const DecoderSpec& spec);

  RopeTable table(const Batch& batch) const;
  // [head_dim / 2], for a sequence of `length` tokens (only `dynamic` looks at it).
  at::Tensor frequencies(std::int64_t length) const;
  double attention_factor() const { return attention_factor_; }

 private:
  RopeSpec spec_;
  std::int64_t head_dim_;
  std::int64_t max_positions_;
  at::Tensor frequencies_;  // of sequences of up to max_positions tokens
  double attention_factor_ = 1.0;
};

}  // namespace hrt
