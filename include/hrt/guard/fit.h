#pragma once

#include <string>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/experiment/execute.h"
#include "hrt/guard/guard.h"
#include "hrt/guard/rule.h"

namespace hrt {

// Which prompts a guard is made of.
struct FitRequest {
  std::vector<std::string> runs;  // complete extractions that hold the training prompts
  Json harmful = Json::array();   // these, by role or set; none: all that have a label
  Json harmless = Json::array();
  std::vector<std::string> validation = {};  // extractions whose prompts the rule is chosen on,
  Json validation_prompts = Json::array();   // or prompts of `runs`; none: the training prompts, left out
  RuleOptions rule = {};
  bool allow_overlap = false;  // validation prompts among the training prompts
};

// Throws InputError: runs that do not fit together, prompts that are not there, no prompts of a label.
Guard fit_guard(const FitRequest& request);

// `hrt guard fit`: from the runs of a resolved config, or from an extraction of its prompts, made first and
// kept beside the guard file. Writes the guard file and prints it.
ExitCode run_guard_fit(Json config, const RunOptions& options);

}  // namespace hrt
