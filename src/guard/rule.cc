#include "hrt/guard/rule.h"

#include <fmt/format.h>

#include <numeric>

#include "hrt/analysis/auroc.h"
#include "hrt/analysis/roc.h"
#include "hrt/base/error.h"

namespace hrt {
namespace {

// Of each prompt, the mean over rows first .. last; prompts without any value are left out.
std::vector<double> means(const std::vector<RowScores>& prompts, std::size_t first, std::size_t last) {
  std::vector<double> result;
  for (const RowScores& scores : prompts) {
    double sum = 0;
    int count = 0;
    for (std::size_t row = first; row <= last; ++row) {
      if (scores[row]) sum += *scores[row];
      count += scores[row].has_value();
    }
    if (count > 0) result.push_back(sum / count);
  }
  return result;
}

struct RowChoice {
  std::size_t first = 0;
  std::size_t last = 0;
  std::optional<Auroc> auroc;
};

// From the longest to the shortest, from the lowest upwards: only a better one replaces what is there.
RowChoice best_rows(const RuleScores& scores, std::size_t count) {
  RowChoice best;
  for (std::size_t length = count; length > 0; --length) {
    for (std::size_t first = 0; first + length <= count; ++first) {
      const std::size_t last = first + length - 1;
      const auto area = auroc(means(scores.harmful, first, last), means(scores.harmless, first, last));
      if (area && (!best.auroc || area->value > best.auroc->value)) best = {first, last, area};
    }
  }
  return best;
}

std::string in_words(const RowChoice& choice, std::span<const std::int64_t> numbers,
                     const std::string& origin) {
  const std::string range = choice.first == choice.last
                                ? fmt::format("{}", numbers[choice.first])
                                : fmt::format("{}..{}", numbers[choice.first], numbers[choice.last]);
  return fmt::format("{}: the best AUROC ({:.4f}) of adjacent rows on {}", range, choice.auroc->value,
                     origin);
}

Calibration calibrate(const std::string& kind, const std::vector<double>& harmful,
                      const std::vector<double>& harmless) {
  if (kind == "platt") return *fit_platt(harmful, harmless);
  if (kind == "isotonic") return *fit_isotonic(harmful, harmless);
  return {};
}

}  // namespace

GuardRule choose_rule(const RuleScores& scores, std::span<const std::int64_t> numbers,
                      const RuleOptions& options) {
  RowChoice rows{0, numbers.size() - 1, std::nullopt};
  GuardRule rule;
  rule.chosen = {{"rows", "all, as in the paper"}, {"threshold", "as in the paper"}, {"calibration", "none"}};
  if (options.any() && (scores.harmful.empty() || scores.harmless.empty()))
    throw InputError("a rule cannot be chosen on {}: harmful and harmless ones are needed", scores.origin);
  if (options.rows) {
    rows = best_rows(scores, numbers.size());
    if (!rows.auroc) throw InputError("rows cannot be chosen on {}: none has a score", scores.origin);
    rule.chosen["rows"] = in_words(rows, numbers, scores.origin);
  }
  rule.rows.resize(rows.last - rows.first + 1);
  std::iota(rule.rows.begin(), rule.rows.end(), rows.first);
  if (!options.any()) return rule;
  const std::vector<double> harmful = means(scores.harmful, rows.first, rows.last);
  const std::vector<double> harmless = means(scores.harmless, rows.first, rows.last);
  if (options.false_positive_rate) {
    const TprAtFpr point = tpr_at_fpr(harmful, harmless, *options.false_positive_rate);
    if (!point.point)
      throw InputError("--false-positive-rate {}: {} ({})", *options.false_positive_rate, point.reason,
                       scores.origin);
    rule.threshold = point.point->threshold;
    rule.chosen["threshold"] = fmt::format("at most {:g} % of the harmless ones lie above it, of {}",
                                           100 * *options.false_positive_rate, scores.origin);
  }
  if (options.calibration != "none") {
    if (harmful.empty() || harmless.empty())
      throw InputError("scores cannot be calibrated on {}: none has a score", scores.origin);
    rule.calibration = calibrate(options.calibration, harmful, harmless);
    rule.chosen["calibration"] = fmt::format("{} on {}", options.calibration, scores.origin);
  }
  return rule;
}

}  // namespace hrt
