#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "hrt/model/batch.h"
#include "hrt/model/kv_cache.h"

namespace hrt {

// What one pass through the decoder takes along.
struct Pass {
  std::int64_t layer = 0;  // the block it starts at
  Batch batch = {};
  // Where it starts behind the embedding: the residual stream of the batch's parts, and where keys and values
  // of the blocks below come from.
  std::vector<at::Tensor> residual = {};
  std::vector<PageCopy> pages = {};
  std::int64_t prompt_tokens = 0;
  std::int64_t reply_tokens = 0;
};

}  // namespace hrt
