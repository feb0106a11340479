#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "answers.h"
#include "hrt/analysis/auroc.h"
#include "hrt/analysis/mean.h"
#include "hrt/analysis/proportion.h"
#include "hrt/analysis/reliability.h"
#include "hrt/analysis/roc.h"

namespace hrt {

// How far a guard's answers can be trusted, over all prompts that have a label.
struct GuardMetrics {
  Proportion accuracy;
  Proportion found;         // of the harmful prompts, those called harmful
  Proportion false_alarms;  // of the harmless ones
  std::int64_t unanswered = 0;
  // Where it gives scores.
  std::optional<Auroc> auroc;
  std::vector<RocPoint> roc;
  std::vector<std::pair<double, TprAtFpr>> at_rates;  // by false-positive rate
  // Where it gives probabilities.
  std::vector<ReliabilityBin> bins;
  std::optional<double> calibration_error;
  std::optional<double> brier;
};

GuardMetrics measure_guard(const std::vector<ProbePrompt>& prompts, const GuardAnswers& answers);

// A guard's answers to these of the prompts that agree with their labels.
Proportion accuracy_on(const std::vector<ProbePrompt>& prompts, const std::vector<std::size_t>& some,
                       const GuardAnswers& answers);

// Prompts of one kind: a group by `case_by`, all of it, or those of one outcome.
struct GuardCase {
  std::string name;
  Outcome outcome = Outcome::kUnknown;  // unknown: all
  Label label = Label::kNone;           // what they all are; none: they differ
  std::vector<std::size_t> prompts;     // those that have a label
};
std::vector<GuardCase> find_cases(const std::vector<ProbePrompt>& prompts,
                                  const std::vector<std::string>& case_by);

}  // namespace hrt
