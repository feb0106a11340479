#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/run_directory.h"

namespace hrt {

// Runs by name, and how they ended.
struct Extracted {
  std::vector<std::pair<std::string, std::filesystem::path>> runs;
  ExitCode code = ExitCode::kDone;
};

// The extractions that a probe of a config begins with: one, or one a variant. The constructor checks all
// input and computes nothing; where the config names runs or tensor files there are none.
class Extractions {
 public:
  explicit Extractions(const Json& config);

  bool empty() const { return planned_.empty(); }
  // --dry-run.
  void print_plans(bool json) const;
  // Each in a folder of its name inside `run`, taken up where it was left.
  Extracted make(RunDirectory& run) const;

 private:
  struct Planned {
    std::string name;
    PromptRun prompts;
  };

  std::vector<Planned> planned_;
};

}  // namespace hrt
