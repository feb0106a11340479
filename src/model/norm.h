#pragma once

#include <ATen/core/Tensor.h>

#include "hrt/model/decoder_spec.h"

namespace hrt {

// A norm over the last dimension, with its weights; no weight: there is no norm. Weights in float32 are
// applied before the result is rounded to the stream's dtype, others after (as transformers' Gemma and Llama
// do).
struct Norm {
  NormKind kind = NormKind::kRms;
  double eps = 1e-6;
  at::Tensor weight;     // [width]
  at::Tensor bias = {};  // [width], or undefined

  bool defined() const { return weight.defined(); }
};

}  // namespace hrt
