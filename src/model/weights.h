#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "hrt/model/checkpoint.h"

namespace hrt {

// The weights of one block, as the decoder multiplies by them: [out, in], maps with the same input side by
// side. Biases are undefined where the family has none.
struct BlockWeights {
  at::Tensor attention_norm;  // [hidden]
  at::Tensor qkv;             // [(heads + 2 kv_heads) * head_dim, hidden]
  at::Tensor qkv_bias;
  at::Tensor o;  // [hidden, heads * head_dim]
  at::Tensor o_bias;
  at::Tensor mlp_norm;  // [hidden]
  at::Tensor gate_up;   // [2 * intermediate, hidden]
  at::Tensor gate_up_bias;
  at::Tensor down;  // [hidden, intermediate]
  at::Tensor down_bias;
};

struct DecoderWeights {
  at::Tensor embedding;  // [vocabulary, hidden]
  std::vector<BlockWeights> blocks;
  at::Tensor final_norm;  // [hidden]
  at::Tensor head;        // [vocabulary, hidden]; the embedding itself when tied
  std::int64_t bytes = 0;
};

// Reads every weight once, converting to `dtype` on `device` slice by slice, and lets go of the file's pages
// behind it. `progress`, if any, is told the bytes that each tensor takes when loaded. Throws InputError
// naming the tensor and file where a weight is NaN or infinite (in the file, or because it is too large for
// `dtype`).
DecoderWeights load_weights(const Checkpoint& checkpoint, at::ScalarType dtype, at::Device device,
                            const std::function<void(std::int64_t)>& progress);

}  // namespace hrt
