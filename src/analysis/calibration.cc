#include "hrt/analysis/calibration.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "hrt/base/error.h"

namespace hrt {
namespace {

// One score with the target that its probability is fitted to.
struct Target {
  double score;
  double value;
};

std::vector<Target> platt_targets(std::span<const double> positives, std::span<const double> negatives) {
  const double high =
      (static_cast<double>(positives.size()) + 1) / (static_cast<double>(positives.size()) + 2);
  const double low = 1 / (static_cast<double>(negatives.size()) + 2);
  std::vector<Target> targets;
  for (const double score : positives) targets.push_back({score, high});
  for (const double score : negatives) targets.push_back({score, low});
  return targets;
}

// -log likelihood: log(1 + exp(f)) - target f, f = slope score + intercept, written so that no exp overflows.
double loss(const PlattCalibration& fit, const std::vector<Target>& targets) {
  double sum = 0;
  for (const auto& [score, value] : targets) {
    const double f = fit.slope * score + fit.intercept;
    sum += std::max(f, 0.0) + std::log1p(std::exp(-std::abs(f))) - value * f;
  }
  return sum;
}

// The Newton step, and by how much it should lower twice the loss (the Newton decrement).
struct Step {
  double slope = 0;
  double intercept = 0;
  double decrement = 0;
};

Step newton_step(const PlattCalibration& fit, const std::vector<Target>& targets) {
  // 1e-12: equal scores leave the second derivatives singular.
  double gradient_slope = 0;
  double gradient_intercept = 0;
  double h_ss = 1e-12;
  double h_si = 0;
  double h_ii = 1e-12;
  for (const auto& [score, value] : targets) {
    const double p = fit.probability(score);
    gradient_slope += (p - value) * score;
    gradient_intercept += p - value;
    h_ss += p * (1 - p) * score * score;
    h_si += p * (1 - p) * score;
    h_ii += p * (1 - p);
  }
  const double determinant = h_ss * h_ii - h_si * h_si;
  Step step{(h_ii * gradient_slope - h_si * gradient_intercept) / determinant,
            (h_ss * gradient_intercept - h_si * gradient_slope) / determinant, 0};
  step.decrement = step.slope * gradient_slope + step.intercept * gradient_intercept;
  return step;
}

// A run of neighbouring scores that share one probability.
struct Block {
  double first;
  double last;
  double sum;
  double weight;

  double mean() const { return sum / weight; }
};

// Sum and number of positives at each distinct score.
std::vector<Block> blocks_of_equal_scores(std::span<const double> positives,
                                          std::span<const double> negatives) {
  std::map<double, Block> blocks;
  const auto add = [&](std::span<const double> scores, double value) {
    for (const double score : scores) {
      if (std::isnan(score)) throw RunError("a score is not a number, so that nothing can be calibrated");
      Block& block = blocks.try_emplace(score, Block{score, score, 0, 0}).first->second;
      block.sum += value;
      block.weight += 1;
    }
  };
  add(positives, 1);
  add(negatives, 0);
  std::vector<Block> result;
  result.reserve(blocks.size());
  for (const auto& [score, block] : blocks) result.push_back(block);
  return result;
}

std::vector<Block> pool_violators(const std::vector<Block>& blocks) {
  std::vector<Block> pooled;
  for (Block block : blocks) {
    while (!pooled.empty() && pooled.back().mean() >= block.mean()) {
      const Block& before = pooled.back();
      block = {before.first, block.last, before.sum + block.sum, before.weight + block.weight};
      pooled.pop_back();
    }
    pooled.push_back(block);
  }
  return pooled;
}

}  // namespace

double PlattCalibration::probability(double score) const {
  return 1 / (1 + std::exp(-(slope * score + intercept)));
}

std::optional<PlattCalibration> fit_platt(std::span<const double> positives,
                                          std::span<const double> negatives) {
  if (positives.empty() || negatives.empty()) return std::nullopt;
  const std::vector<Target> targets = platt_targets(positives, negatives);
  // Every score's best single probability, to start with.
  PlattCalibration fit{
      0, std::log((static_cast<double>(positives.size()) + 1) / (static_cast<double>(negatives.size()) + 1))};
  for (int iteration = 0; iteration < 100; ++iteration) {
    const Step step = newton_step(fit, targets);
    const double before = loss(fit, targets);
    double share = 1;
    PlattCalibration next{fit.slope - step.slope, fit.intercept - step.intercept};
    while (loss(next, targets) > before * (1 + 1e-12) && share > 1e-9) {
      share /= 2;
      next = {fit.slope - share * step.slope, fit.intercept - share * step.intercept};
    }
    fit = next;
    if (step.decrement < 1e-14) break;
  }
  return fit;
}

double IsotonicCalibration::probability(double score) const {
  const auto above = std::upper_bound(scores.begin(), scores.end(), score);
  if (above == scores.begin()) return probabilities.front();
  if (above == scores.end()) return probabilities.back();
  const auto high = static_cast<std::size_t>(above - scores.begin());
  const double share = (score - scores[high - 1]) / (scores[high] - scores[high - 1]);
  return probabilities[high - 1] + share * (probabilities[high] - probabilities[high - 1]);
}

std::optional<IsotonicCalibration> fit_isotonic(std::span<const double> positives,
                                                std::span<const double> negatives) {
  if (positives.empty() || negatives.empty()) return std::nullopt;
  IsotonicCalibration fit;
  for (const Block& block : pool_violators(blocks_of_equal_scores(positives, negatives))) {
    fit.scores.push_back(block.first);
    fit.probabilities.push_back(block.mean());
    if (block.last == block.first) continue;
    fit.scores.push_back(block.last);
    fit.probabilities.push_back(block.mean());
  }
  return fit;
}

}  // namespace hrt
