#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <set>

#include "hrt/model/hooks.h"

namespace hrt {

// The residual stream of some sequences at some block inputs, whole, so that other sequences can go on from
// there. A hook that must run before those that change the stream.
class Snapshots {
 public:
  // From now on, tokens first .. end - 1 of `sequence` are kept at the inputs of blocks `layers`.
  void want(std::int64_t sequence, std::int64_t first, std::int64_t end,
            const std::set<std::int64_t>& layers);
  // Refers to this object.
  Hook hook();
  // Tokens begin .. end - 1, [tokens, hidden], in the compute dtype and on its device.
  at::Tensor rows(std::int64_t sequence, std::int64_t layer, std::int64_t begin, std::int64_t end) const;
  void forget(std::int64_t sequence) { taken_.erase(sequence); }

 private:
  struct Taken {
    std::int64_t first = 0;
    std::int64_t end = 0;
    std::map<std::int64_t, at::Tensor> by_layer;  // [tokens, hidden], undefined until something was seen
  };

  void take(std::int64_t layer, const TokenMap& tokens, const at::Tensor& values);

  std::set<std::int64_t> layers_;
  std::map<std::int64_t, Taken> taken_;  // by sequence
};

}  // namespace hrt
