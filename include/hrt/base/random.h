#pragma once

#include <cstdint>
#include <vector>

namespace hrt {

// SplitMix64: small, the same everywhere, good enough to draw samples with.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound);  // uniform in [0, bound), bound > 0
  double uniform();                          // [0, 1)
  double normal();                           // standard normal

 private:
  std::uint64_t state_;
};

// `count` distinct indices out of [0, total), ascending.
std::vector<std::int64_t> sample_indices(std::int64_t total, std::int64_t count, std::uint64_t seed);

}  // namespace hrt
