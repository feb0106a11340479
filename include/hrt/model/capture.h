#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "hrt/model/hooks.h"

namespace hrt {

// Captures rows of the residual stream: a hook at the block inputs that gathers the asked tokens alone, so
// that all rows cost hardly more than one. Put it behind hooks that change the stream: it then sees the
// stream after them.
class RowCapture {
 public:
  // `rows`: which of 0..L; `dtype`: what is stored.
  RowCapture(std::vector<std::int64_t> rows, std::int64_t hidden, at::ScalarType dtype)
      : rows_(std::move(rows)), hidden_(hidden), dtype_(dtype) {}

  // From now on, the tokens `positions` (ascending, distinct) of `sequence` are captured. `known`: what is
  // known of them already, [positions, rows, hidden], and will be overwritten where a hook point is passed.
  void want(std::int64_t sequence, std::span<const std::int64_t> positions, const at::Tensor& known = {});
  // Refers to this object.
  Hook hook();
  // What is captured of `sequence` so far.
  const at::Tensor& peek(std::int64_t sequence) const { return wanted_.at(sequence).values; }
  // What was captured of `sequence`, of which `length` tokens were computed: [positions below it, rows,
  // hidden] on the CPU. Forgets it. Throws RunError when a value is NaN or infinite.
  at::Tensor take(std::int64_t sequence, std::int64_t length);

 private:
  struct Wanted {
    std::vector<std::int64_t> positions;
    at::Tensor values;  // [positions, rows, hidden]
  };

  std::int64_t row_index(const HookPoint& point) const;  // -1: not wanted
  void gather(const HookPoint& point, const TokenMap& tokens, const at::Tensor& values);

  std::vector<std::int64_t> rows_;
  std::int64_t hidden_;
  at::ScalarType dtype_;
  std::map<std::int64_t, Wanted> wanted_;  // by sequence
};

}  // namespace hrt
