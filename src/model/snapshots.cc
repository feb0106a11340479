#include "snapshots.h"

#include <ATen/ops/empty.h>

namespace hrt {

void Snapshots::want(std::int64_t sequence, std::int64_t first, std::int64_t end,
                     const std::set<std::int64_t>& layers) {
  Taken& taken = taken_[sequence];
  taken.first = first;
  taken.end = end;
  for (const std::int64_t layer : layers) taken.by_layer.emplace(layer, at::Tensor());
  layers_.insert(layers.begin(), layers.end());
}

Hook Snapshots::hook() {
  return {[this](const HookPoint& point) {
            return point.site == Site::kBlockInput && layers_.contains(point.layer);
          },
          [this](const HookPoint& point, const TokenMap& tokens, at::Tensor& values) {
            take(point.layer, tokens, values);
          }};
}

void Snapshots::take(std::int64_t layer, const TokenMap& tokens, const at::Tensor& values) {
  for (std::size_t begin = 0, end = 0; begin < tokens.sequence.size(); begin = end) {
    while (end < tokens.sequence.size() && tokens.sequence[end] == tokens.sequence[begin]) ++end;
    const auto found = taken_.find(tokens.sequence[begin]);
    if (found == taken_.end()) continue;
    Taken& taken = found->second;
    const auto kept = taken.by_layer.find(layer);
    const std::int64_t position = tokens.position[begin];
    if (kept == taken.by_layer.end() || position >= taken.end) continue;  // a token of the reply
    if (!kept->second.defined()) {
      kept->second = at::empty({taken.end - taken.first, values.size(1)}, values.options());
    }
    const auto count = static_cast<std::int64_t>(end - begin);
    kept->second.narrow(0, position - taken.first, count)
        .copy_(values.narrow(0, static_cast<std::int64_t>(begin), count));
  }
}

at::Tensor Snapshots::rows(std::int64_t sequence, std::int64_t layer, std::int64_t begin,
                           std::int64_t end) const {
  const Taken& taken = taken_.at(sequence);
  return taken.by_layer.at(layer).narrow(0, begin - taken.first, end - begin);
}

}  // namespace hrt
