#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "hrt/analysis/interval.h"
#include "hrt/base/random.h"

namespace hrt {

inline constexpr int kResamples = 2000;

// Draws items with replacement. Items that belong together (paraphrases of one prompt, prompts of one
// category) are drawn together when their groups are given: otherwise intervals come out too narrow.
class Resampler {
 public:
  Resampler(std::int64_t items, std::uint64_t seed);
  // groups[i] names the group of item i; as many groups are drawn as there are.
  Resampler(std::span<const std::int64_t> groups, std::uint64_t seed);

  // Indices of items, valid until the next draw.
  std::span<const std::int64_t> draw();
  // What is drawn: items, or groups.
  std::int64_t units() const { return std::ssize(members_); }

 private:
  std::vector<std::vector<std::int64_t>> members_;
  std::vector<std::int64_t> drawn_;
  Random random_;
};

// The 2.5 % and 97.5 % quantiles, interpolated between neighbours (numpy's default). Nothing for no values.
std::optional<Interval> percentile_interval(std::vector<double> values);

// A statistic of the items at these indices; nothing where it is not defined.
using Statistic = std::function<std::optional<double>(std::span<const std::int64_t>)>;

// The percentile bootstrap interval (Efron). Resamples without a value are left out. Nothing for fewer than
// two units, which have no spread to see.
std::optional<Interval> bootstrap_interval(Resampler resampler, const Statistic& statistic,
                                           int resamples = kResamples);

}  // namespace hrt
