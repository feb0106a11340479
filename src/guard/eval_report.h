#pragma once

#include <map>
#include <string>
#include <vector>

#include "answers.h"
#include "hrt/base/json.h"
#include "hrt/base/page.h"
#include "metrics.h"

namespace hrt {

// A guard and others on the same prompts.
class EvalReport {
 public:
  // The first guard is the one that is evaluated. All must outlive this object.
  EvalReport(const std::vector<ProbePrompt>& prompts, const std::vector<GuardAnswers>& guards,
             const std::vector<std::string>& case_by);

  Json to_json() const;                               // "guards", "cases", "prompts"
  std::map<std::string, std::string> tables() const;  // csv files by name
  std::string page() const;

 private:
  Table page_table() const;
  void add_cases(Table& table) const;
  std::string guard_csv() const;
  std::string roc_csv() const;
  std::string scores_csv() const;

  const std::vector<ProbePrompt>& prompts_;
  const std::vector<GuardAnswers>& guards_;
  std::vector<GuardMetrics> metrics_;  // by guard
  std::vector<GuardCase> cases_;
};

}  // namespace hrt
