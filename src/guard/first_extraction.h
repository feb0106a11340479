#pragma once

#include <filesystem>
#include <string>

#include "hrt/base/error.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/guard/guard.h"

namespace hrt {

// The extraction of a config's prompts that a command begins with: rows at t_inst. All input is checked
// before anything is written.
class FirstExtraction {
 public:
  // `outcomes`: as the key. Throws InputError.
  FirstExtraction(const Json& config, const std::string& outcomes);

  // Throws InputError where the guard is for another model or template.
  void check(const Guard& guard) const;
  // Computes it in `folder`, or takes it from there. A dry run prints the plan. Returns its exit code.
  ExitCode make(const std::filesystem::path& folder, bool dry_run) const;

 private:
  PromptRun prompts_;
};

}  // namespace hrt
