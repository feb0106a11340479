#pragma once

#include <functional>

#include "hrt/base/error.h"
#include "hrt/experiment/groups.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/run_directory.h"

namespace hrt {

// How a command was asked to run, beside its config.
struct RunOptions {
  IfExists if_exists = IfExists::kRefuse;
  bool dry_run = false;
  bool json = false;
};

// A run whose groups are all on disk.
struct Computed {
  const PromptRun& prompts;
  RunDirectory& run;
  const GroupRunner& groups;
};

// Takes prompts from the plan to a complete run directory: checks the output folder, computes what is missing
// group by group, checks row identity, and lets `write` put the results there. `write` returns kDone, or
// kCheckFailed when something that was asked for could not be had. Returns the run's exit code; throws
// Interrupted with a resumable run.
ExitCode execute(const PromptRun& prompts, const RunOptions& options,
                 const std::function<ExitCode(const Computed&)>& write);

}  // namespace hrt
