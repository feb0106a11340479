#include "hrt/analysis/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace hrt {

Resampler::Resampler(std::int64_t items, std::uint64_t seed) : random_(seed) {
  for (std::int64_t i = 0; i < items; ++i) members_.push_back({i});
}

Resampler::Resampler(std::span<const std::int64_t> groups, std::uint64_t seed) : random_(seed) {
  std::map<std::int64_t, std::vector<std::int64_t>> members;
  for (std::size_t i = 0; i < groups.size(); ++i) members[groups[i]].push_back(static_cast<std::int64_t>(i));
  for (auto& [group, items] : members) members_.push_back(std::move(items));
}

std::span<const std::int64_t> Resampler::draw() {
  drawn_.clear();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto& items = members_[random_.below(members_.size())];
    drawn_.insert(drawn_.end(), items.begin(), items.end());
  }
  return drawn_;
}

std::optional<Interval> percentile_interval(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
  };
  return Interval{quantile((1 - kConfidence) / 2), quantile((1 + kConfidence) / 2)};
}

std::optional<Interval> bootstrap_interval(Resampler resampler, const Statistic& statistic, int resamples) {
  if (resampler.units() < 2) return std::nullopt;
  std::vector<double> values;
  for (int i = 0; i < resamples; ++i) {
    if (const auto value = statistic(resampler.draw())) values.push_back(*value);
  }
  return percentile_interval(std::move(values));
}

}  // namespace hrt
