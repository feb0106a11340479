#include "hrt/data/degenerate.h"

#include <algorithm>

namespace hrt {
namespace {

constexpr std::size_t kLongestPeriod = 16;
constexpr std::size_t kRounds = 4;
constexpr std::size_t kFewestTokens = 12;

}  // namespace

bool is_looping(std::span<const std::int64_t> tokens) {
  for (std::size_t period = 1; period <= kLongestPeriod; ++period) {
    const std::size_t length = std::max(kRounds * period, kFewestTokens);
    if (length > tokens.size()) return false;
    const auto tail = tokens.last(length);
    if (std::equal(tail.begin() + static_cast<std::ptrdiff_t>(period), tail.end(), tail.begin())) return true;
  }
  return false;
}

}  // namespace hrt
