#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <optional>

#include "hrt/model/batch.h"
#include "hrt/model/decoder_spec.h"

namespace hrt {

// Cosines and sines of each packed row, float32 [tokens, rotated pairs], the attention factor multiplied in.
// No pairs: nothing is rotated.
struct RopeTable {
  at::Tensor cos;
  at::Tensor sin;
};

// Rotary position embedding with the frequencies of transformers' modeling_rope_utils, in the same float32
// arithmetic: at position 1000 a frequency that is off by one ulp already turns a key by 6e-5.
class Rope {
 public:
  // Of the first `rotary_dim` dimensions of each head.
  Rope(RopeSpec spec, std::int64_t rotary_dim, std::int64_t max_positions);

  RopeTable table(const Batch& batch) const;
  // [rotary_dim / 2], for a sequence of `length` tokens (only `dynamic` and `longrope` look at it).
  at::Tensor frequencies(std::int64_t length) const;
  double attention_factor() const { return attention_factor_; }

 private:
  RopeSpec spec_;
  std::int64_t rotary_dim_;
  std::int64_t max_positions_;
  std::int64_t switch_length_;  // longer sequences have frequencies of their own
  at::Tensor frequencies_;      // of shorter ones
  double attention_factor_ = 1.0;
};

// The tables of one batch, on the decoder's device.
struct RopeTables {
  RopeTable none;
  RopeTable global;
  RopeTable local;
  const RopeTable& of(Rotation rotation) const;
};

// The rotations of a decoder's layers.
class Rotations {
 public:
  explicit Rotations(const DecoderSpec& spec);
  RopeTables tables(const Batch& batch, at::Device device) const;

 private:
  Rope global_;
  std::optional<Rope> local_;
};

}  // namespace hrt
