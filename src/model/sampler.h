#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "hrt/base/random.h"
#include "hrt/model/engine.h"

namespace hrt {

// Draws a token out of logits [vocabulary]: softmax at a temperature above 0, among the likeliest tokens that
// together have the mass `top_p`. In float64 on the CPU, so that one seed gives one reply whatever the batch.
std::int64_t sample_token(const at::Tensor& logits, const Sampling& sampling, Random& random);

}  // namespace hrt
