#include "format.h"

#include <fmt/format.h>

#include <cmath>

namespace hrt {

std::string signed_text(const std::optional<double>& value) {
  return value ? fmt::format("{:+.3f}", *value) : "-";
}

std::string mean_text(const std::optional<Mean>& mean) {
  if (!mean) return "-";
  if (!mean->interval) return signed_text(mean->value);
  return fmt::format("{:+.3f} [{:+.3f}, {:+.3f}]", mean->value, mean->interval->low, mean->interval->high);
}

std::string share_text(const Proportion& share) {
  const auto interval = share.interval();
  if (!interval) return "-";
  return fmt::format("{:.0f} % [{:.0f}, {:.0f}]", 100 * *share.rate(), 100 * interval->low,
                     100 * interval->high);
}

std::string auroc_text(const std::optional<Auroc>& auroc) {
  if (!auroc) return "-";
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", auroc->value, auroc->interval.low, auroc->interval.high);
}

std::string correlation_text(const std::optional<Correlation>& correlation) {
  if (!correlation) return "-";
  if (!correlation->interval) return signed_text(correlation->value);
  return fmt::format("{:+.2f} [{:+.2f}, {:+.2f}]", correlation->value, correlation->interval->low,
                     correlation->interval->high);
}

std::optional<double> value_of(const std::optional<Mean>& mean) {
  return mean ? std::optional(mean->value) : std::nullopt;
}

std::optional<double> value_of(const std::optional<Auroc>& auroc) {
  return auroc ? std::optional(auroc->value) : std::nullopt;
}

std::optional<double> low_of(const std::optional<Interval>& interval) {
  return interval ? std::optional(interval->low) : std::nullopt;
}

std::optional<double> high_of(const std::optional<Interval>& interval) {
  return interval ? std::optional(interval->high) : std::nullopt;
}

Json number_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json correlation_json(const Correlation& correlation) {
  const std::optional<Interval>& interval = correlation.interval;
  return {{"value", correlation.value},
          {"low", number_or_null(low_of(interval))},
          {"high", number_or_null(high_of(interval))},
          {"n", correlation.n}};
}

}  // namespace hrt
