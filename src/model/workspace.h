#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace hrt {

// The matrices that live only between two steps of a block. They are kept and reused, because fresh memory
// costs a page fault every 4 KB, block after block.
class Workspace {
 public:
  enum class Use : std::size_t {
    kNormed,       // a norm's output
    kWide,         // fused qkv, fused gate and up, or what experts add, by token
    kInner,        // the attention's mix, or the gated activations
    kDelta,        // what is to be added to the residual stream
    kSecondDelta,  // the same of an MLP beside the attention
    kRouted,       // rows sorted by expert; what the shared expert adds
    kLogits,
  };

  explicit Workspace(const at::TensorOptions& options) : options_(options) {}

  // [rows, width], contiguous, with any content. Valid until the same use is taken again.
  at::Tensor take(Use use, std::int64_t rows, std::int64_t width);

 private:
  at::TensorOptions options_;
  std::array<at::Tensor, 7> buffers_;
};

}  // namespace hrt
