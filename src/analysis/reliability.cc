#include "hrt/analysis/reliability.h"

#include <algorithm>
#include <cmath>

namespace hrt {
namespace {

class BinnedProbabilities {
 public:
  explicit BinnedProbabilities(int bins) : bins_(static_cast<std::size_t>(bins)) {}

  void add(std::span<const double> probabilities, bool positive) {
    const auto count = static_cast<double>(bins_.size());
    for (const double probability : probabilities) {
      const double bin = std::clamp(std::ceil(probability * count) - 1, 0.0, count - 1);
      ReliabilityBin& entry = bins_[static_cast<std::size_t>(bin)];
      entry.mean_probability += probability;  // a sum, until all are there
      entry.positives.add(positive);
    }
  }

  std::vector<ReliabilityBin> filled() const {
    const auto count = static_cast<double>(bins_.size());
    std::vector<ReliabilityBin> result;
    for (std::size_t i = 0; i < bins_.size(); ++i) {
      if (bins_[i].positives.n == 0) continue;
      const auto place = static_cast<double>(i);
      const double mean = bins_[i].mean_probability / static_cast<double>(bins_[i].positives.n);
      result.push_back({{place / count, (place + 1) / count}, mean, bins_[i].positives});
    }
    return result;
  }

 private:
  std::vector<ReliabilityBin> bins_;
};

}  // namespace

std::vector<ReliabilityBin> reliability_bins(std::span<const double> positives,
                                             std::span<const double> negatives, int bins) {
  BinnedProbabilities binned(bins);
  binned.add(positives, true);
  binned.add(negatives, false);
  return binned.filled();
}

std::optional<double> expected_calibration_error(std::span<const ReliabilityBin> bins) {
  double gaps = 0;
  double n = 0;
  for (const ReliabilityBin& bin : bins) {
    const auto size = static_cast<double>(bin.positives.n);
    gaps += size * std::abs(bin.mean_probability - *bin.positives.rate());
    n += size;
  }
  if (n == 0) return std::nullopt;
  return gaps / n;
}

std::optional<double> brier_score(std::span<const double> positives, std::span<const double> negatives) {
  if (positives.empty() && negatives.empty()) return std::nullopt;
  double sum = 0;
  for (const double probability : positives) sum += (1 - probability) * (1 - probability);
  for (const double probability : negatives) sum += probability * probability;
  return sum / static_cast<double>(positives.size() + negatives.size());
}

}  // namespace hrt
