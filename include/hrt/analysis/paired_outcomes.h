#pragma once

#include <cstdint>

namespace hrt {

// The same prompts judged twice, such as unsteered and steered: how many changed, and which way.
struct PairedOutcomes {
  std::int64_t both = 0;
  std::int64_t only_first = 0;
  std::int64_t only_second = 0;
  std::int64_t neither = 0;

  void add(bool first, bool second);
  std::int64_t n() const { return both + only_first + only_second + neither; }
};

// McNemar's exact test: the two-sided binomial p-value of the pairs that changed, under "either way is
// equally likely", min(1, 2 P[X <= min(b, c)]) with X ~ Binomial(b + c, 1/2). 1 where no pair changed.
double mcnemar_p(const PairedOutcomes& pairs);

}  // namespace hrt
