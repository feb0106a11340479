#include "hrt/analysis/paired_outcomes.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hrt {

void PairedOutcomes::add(bool first, bool second) {
  if (first) {
    ++(second ? both : only_first);
  } else {
    ++(second ? only_second : neither);
  }
}

double mcnemar_p(const PairedOutcomes& pairs) {
  const auto changed = static_cast<double>(pairs.only_first + pairs.only_second);
  const std::int64_t fewer = std::min(pairs.only_first, pairs.only_second);
  double tail = 0;
  for (std::int64_t k = 0; k <= fewer; ++k) {
    const auto chosen = static_cast<double>(k);
    const double log_ways =
        std::lgamma(changed + 1) - std::lgamma(chosen + 1) - std::lgamma(changed - chosen + 1);
    tail += std::exp(log_ways - changed * std::numbers::ln2);
  }
  return std::min(1.0, 2 * tail);
}

}  // namespace hrt
