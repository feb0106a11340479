#pragma once

#include <cstdint>
#include <span>

namespace hrt {

// Whether a reply ends in a loop: its last tokens are one stretch of at most 16 tokens, at least four times
// over and at least 12 tokens in all. Steering too hard produces such replies, which no refusal rule can
// judge.
bool is_looping(std::span<const std::int64_t> tokens);

}  // namespace hrt
