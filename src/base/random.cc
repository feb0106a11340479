#include "hrt/base/random.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hrt {

std::uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15u;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

std::uint64_t Random::below(std::uint64_t bound) {
  // Draws from the largest multiple of `bound` only, so that every value is equally likely.
  const std::uint64_t limit = ~std::uint64_t{0} - ~std::uint64_t{0} % bound;
  std::uint64_t value = next();
  while (value >= limit) value = next();
  return value % bound;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

double Random::normal() {
  // Box-Muller; 1 - uniform() is never zero.
  return std::sqrt(-2.0 * std::log(1.0 - uniform())) * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<std::int64_t> sample_indices(std::int64_t total, std::int64_t count, std::uint64_t seed) {
  // Knuth's selection sampling: one pass, ascending.
  Random random(seed);
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < total && static_cast<std::int64_t>(chosen.size()) < count; ++i) {
    const std::int64_t wanted = count - static_cast<std::int64_t>(chosen.size());
    if (random.below(static_cast<std::uint64_t>(total - i)) < static_cast<std::uint64_t>(wanted)) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace hrt
