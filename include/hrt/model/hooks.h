#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace hrt {

// A named place in the decoder. Layers are numbered 0..L-1.
enum class Site {
  kBlockInput,       // residual stream before block `layer`: row l of the contract; layer == L: output of the last
  kAttentionOutput,  // what the attention adds to the residual stream
  kMlpOutput,        // what the MLP adds to the residual stream
};

struct HookPoint {
  std::int64_t layer = 0;
  Site site = Site::kBlockInput;
};

// Which packed row is which token: row i belongs to sequence `sequence[i]` (the caller's number) at token index
// `position[i]` of that sequence. Rows of one sequence are adjacent and ascending. CPU vectors, [tokens].
struct TokenMap {
  std::vector<std::int64_t> sequence;
  std::vector<std::int64_t> position;
  std::int64_t size() const { return static_cast<std::int64_t>(sequence.size()); }
};

// Sees, and may change in place, `values` [tokens, hidden] at `point`.
using Hook = std::function<void(const HookPoint& point, const TokenMap& tokens, at::Tensor& values)>;

}  // namespace hrt
