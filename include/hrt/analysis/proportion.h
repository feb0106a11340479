#pragma once

#include <cstdint>
#include <optional>

#include "hrt/analysis/interval.h"

namespace hrt {

// `count` of `n`: a refusal rate, an accuracy, a share of prompts.
struct Proportion {
  std::int64_t count = 0;
  std::int64_t n = 0;

  void add(bool hit) {
    count += hit;
    ++n;
  }
  // Nothing for n = 0.
  std::optional<double> rate() const;
  // Wilson's score interval (Wilson 1927, without continuity correction): it stays within [0, 1] and has a
  // width at 0 and at n of n, where refusal rates often are. Nothing for n = 0.
  std::optional<Interval> interval() const;
};

}  // namespace hrt
