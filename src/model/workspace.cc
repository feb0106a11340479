#include "workspace.h"

#include <ATen/ops/empty.h>

namespace hrt {

at::Tensor Workspace::take(Use use, std::int64_t rows, std::int64_t width) {
  at::Tensor& buffer = buffers_[static_cast<std::size_t>(use)];
  if (!buffer.defined() || buffer.numel() < rows * width) buffer = at::empty({rows * width}, options_);
  return buffer.narrow(0, 0, rows * width).view({rows, width});
}

}  // namespace hrt
