#include "hrt/model/capture.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <string_view>

#include "hrt/base/error.h"

namespace hrt {

void RowCapture::want(std::int64_t sequence, std::span<const std::int64_t> positions,
                      const at::Tensor& known) {
  const auto count = static_cast<std::int64_t>(positions.size());
  const auto rows = static_cast<std::int64_t>(rows_.size());
  wanted_[sequence] = {.positions = {positions.begin(), positions.end()},
                       .values = known.defined()
                                     ? known.clone()
                                     : at::empty({count, rows, hidden_}, at::TensorOptions().dtype(dtype_))};
}

std::int64_t RowCapture::row_index(const HookPoint& point) const {
  const auto found = std::ranges::find(rows_, point.layer);
  return point.site == Site::kBlockInput && found != rows_.end() ? found - rows_.begin() : -1;
}

Hook RowCapture::hook() {
  return {[this](const HookPoint& point) { return row_index(point) >= 0; },
          [this](const HookPoint& point, const TokenMap& tokens, at::Tensor& values) {
            gather(point, tokens, values);
          }};
}

void RowCapture::gather(const HookPoint& point, const TokenMap& tokens, const at::Tensor& values) {
  std::vector<std::int64_t> packed;  // rows of `values`
  std::vector<at::Tensor> targets;   // [hidden], where each goes
  const std::int64_t row = row_index(point);
  auto wanted = wanted_.end();
  for (std::size_t i = 0; i < tokens.sequence.size(); ++i) {
    if (i == 0 || tokens.sequence[i] != tokens.sequence[i - 1]) wanted = wanted_.find(tokens.sequence[i]);
    if (wanted == wanted_.end()) continue;
    const std::vector<std::int64_t>& positions = wanted->second.positions;
    const auto found = std::ranges::lower_bound(positions, tokens.position[i]);
    if (found == positions.end() || *found != tokens.position[i]) continue;
    packed.push_back(static_cast<std::int64_t>(i));
    targets.push_back(wanted->second.values.select(0, found - positions.begin()).select(0, row));
  }
  if (packed.empty()) return;
  const at::Tensor gathered =
      values.index_select(0, at::tensor(packed).to(values.device())).to(at::kCPU, dtype_);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i].copy_(gathered.select(0, static_cast<std::int64_t>(i)));
  }
}

at::Tensor RowCapture::take(std::int64_t sequence, std::int64_t length) {
  const Wanted wanted = std::move(wanted_.extract(sequence).mapped());
  const auto computed = std::ranges::lower_bound(wanted.positions, length) - wanted.positions.begin();
  const at::Tensor values = wanted.values.narrow(0, 0, computed);
  if (!values.isfinite().all().item<bool>()) {
    const std::string_view advice =
        dtype_ == at::kHalf ? "; float16 overflows early: try --dtype bfloat16" : "";
    throw RunError("a captured row of prompt {} holds NaN or infinity{}", sequence, advice);
  }
  return values;
}

}  // namespace hrt
