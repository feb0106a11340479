#pragma once

#include <optional>
#include <string>

#include "hrt/analysis/auroc.h"
#include "hrt/analysis/correlation.h"
#include "hrt/analysis/mean.h"
#include "hrt/analysis/proportion.h"
#include "hrt/base/json.h"

namespace hrt {

// Numbers on pages; "-" where there is none.
std::string signed_text(const std::optional<double>& value);                  // "+0.91"
std::string mean_text(const std::optional<Mean>& mean);                       // "+0.91 [+0.88, +0.94]"
std::string share_text(const Proportion& share);                              // "97 % [93, 99]"
std::string auroc_text(const std::optional<Auroc>& auroc);                    // ".98 [.95, .99]"
std::string correlation_text(const std::optional<Correlation>& correlation);  // "+0.12 [-0.03, +0.27]"

// The parts of what may not be there, for csv files.
std::optional<double> value_of(const std::optional<Mean>& mean);
std::optional<double> value_of(const std::optional<Auroc>& auroc);
std::optional<double> low_of(const std::optional<Interval>& interval);
std::optional<double> high_of(const std::optional<Interval>& interval);
template <typename Estimate>
std::optional<double> low_of(const std::optional<Estimate>& estimate) {
  return estimate ? low_of(std::optional<Interval>(estimate->interval)) : std::nullopt;
}
template <typename Estimate>
std::optional<double> high_of(const std::optional<Estimate>& estimate) {
  return estimate ? high_of(std::optional<Interval>(estimate->interval)) : std::nullopt;
}
inline std::optional<double> low_of(const Proportion& share) { return low_of(share.interval()); }
inline std::optional<double> high_of(const Proportion& share) { return high_of(share.interval()); }

// A value as JSON; null where there is none.
template <typename Value, typename ToJson>
Json json_or_null(const std::optional<Value>& value, ToJson to_json) {
  return value ? to_json(*value) : Json();
}
Json number_or_null(const std::optional<double>& value);
Json correlation_json(const Correlation& correlation);  // {"value", "low", "high", "n"}

}  // namespace hrt
