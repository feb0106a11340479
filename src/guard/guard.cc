#include "hrt/guard/guard.h"

namespace hrt {

std::optional<double> calibrated(const Calibration& calibration, double score) {
  if (const auto* platt = std::get_if<PlattCalibration>(&calibration)) return platt->probability(score);
  if (const auto* isotonic = std::get_if<IsotonicCalibration>(&calibration))
    return isotonic->probability(score);
  return std::nullopt;
}

std::optional<GuardVerdict> GuardScorer::judge(const at::Tensor& rows) const {
  const auto delta = row_mean(scorer_.score(rows), guard_.rows).all_rows;
  if (!delta) return std::nullopt;
  return GuardVerdict{*delta, *delta > guard_.threshold, calibrated(guard_.calibration, *delta)};
}

std::string_view verdict_name(bool harmful) { return harmful ? "harmful" : "harmless"; }

}  // namespace hrt
