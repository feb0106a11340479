#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "hrt/model/checkpoint.h"
#include "norm.h"

namespace hrt {

// The weights of one MLP.
struct MlpWeights {
  at::Tensor gate_up;  // [hidden, 2 * intermediate], or [hidden, intermediate] where nothing is gated
  at::Tensor gate_up_bias;
  at::Tensor down;  // [intermediate, hidden]
  at::Tensor down_bias;
};

struct ExpertWeights {
  at::Tensor router;  // [hidden, experts]
  at::Tensor router_bias;
  std::vector<MlpWeights> each;
  MlpWeights shared;       // undefined where there is none
  at::Tensor shared_gate;  // [hidden, 1]
};

// The weights of one block, as the decoder multiplies by them: [in, out], which MKL takes in faster than the
// file's [out, in] (3 % for 1,000 tokens, 25 % for 64), and maps of the same input side by side. Norms and
// biases are undefined where the family has none.
struct BlockWeights {
  Norm attention_norm;  // of width hidden, like the other three
  at::Tensor qkv;       // [hidden, (heads + 2 kv_heads) * head_dim], in the order of qkv_order()
  at::Tensor qkv_bias;
  at::Tensor sinks;  // [heads], or undefined
  Norm q_norm;       // of width head_dim, or heads * head_dim
  Norm k_norm;       // of width head_dim, or kv_heads * head_dim
  at::Tensor o;      // [heads * head_dim, hidden]
  at::Tensor o_bias;
  Norm attention_post_norm;
  Norm mlp_norm;
  MlpWeights mlp;  // undefined in layers of experts
  std::optional<ExpertWeights> experts;
  Norm mlp_post_norm;
};

struct DecoderWeights {
  at::Tensor embedding;  // [vocabulary, hidden]
  at::Tensor positions;  // [max_positions, hidden], or undefined
  std::vector<BlockWeights> blocks;
  Norm final_norm;
  at::Tensor head;  // [hidden, vocabulary]; a view of the embedding when tied
  std::int64_t bytes = 0;
};

// Reads every weight once, converting to `dtype` on `device` slice by slice, and lets go of the file's pages
// behind it. `progress`, if any, is told the bytes that each tensor takes when loaded. Throws InputError
// naming the tensor and file where a weight is NaN or infinite (in the file, or because it is too large for
// `dtype`).
DecoderWeights load_weights(const Checkpoint& checkpoint, at::ScalarType dtype, at::Device device,
                            const std::function<void(std::int64_t)>& progress);

}  // namespace hrt
