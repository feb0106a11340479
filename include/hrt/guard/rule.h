#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hrt/analysis/row_scores.h"
#include "hrt/base/json.h"
#include "hrt/guard/guard.h"

namespace hrt {

// What of a guard is chosen instead of taken from the paper.
struct RuleOptions {
  bool rows = false;                               // the rows that tell harmful from harmless best
  std::optional<double> false_positive_rate = {};  // the threshold; above 0
  std::string calibration = "none";                // none, platt, isotonic

  bool any() const { return rows || false_positive_rate || calibration != "none"; }
};

// s[l] of prompts that a rule is chosen on, none of which is part of the centroids that it was scored
// against.
struct RuleScores {
  std::vector<RowScores> harmful;
  std::vector<RowScores> harmless;
  std::string origin;  // which prompts they are, in words
};

struct GuardRule {
  std::vector<std::size_t> rows;  // indices into the rows of the scores, adjacent
  double threshold = 0;
  Calibration calibration;
  Json chosen;  // {"rows", "threshold", "calibration"}, in words
};

// In this order, all on the same prompts: the rows (adjacent ones, or a single one, with the highest AUROC of
// the mean over them; of equal ones the most rows, then the lowest), the threshold, the calibration.
// `numbers`: of the rows, for the words. Throws InputError where there are too few prompts.
GuardRule choose_rule(const RuleScores& scores, std::span<const std::int64_t> numbers,
                      const RuleOptions& options);

}  // namespace hrt
