#pragma once

#include "hrt/base/error.h"
#include "hrt/experiment/grouped_work.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/row_identity.h"
#include "hrt/experiment/run_directory.h"

namespace hrt {

// How a command was asked to run, beside its config.
struct RunOptions {
  IfExists if_exists = IfExists::kRefuse;
  bool dry_run = false;
  bool json = false;
  bool print = true;                              // the summary, on stdout
  std::optional<std::filesystem::path> out = {};  // in the place of the config's
};

// What a command does with a run. Its parts are called in this order, each once (of a dry run the first
// three).
class Experiment {
 public:
  virtual ~Experiment() = default;

  // What decides the numbers beside the prompts and the config.
  virtual Json identity() const { return Json::object(); }
  // What deserves a warning before anything is computed, beside what prompts and model give cause for.
  virtual std::vector<std::string> warnings() const { return {}; }
  // How much it will compute, for --dry-run.
  virtual std::vector<PlanEntry> plan() const { return {}; }
  // The run directory is there: makes the work, and what it needs beside the model.
  virtual void begin(RunDirectory& run) = 0;
  virtual GroupedWork& work() = 0;
  // All groups are on disk: computes some items again, each alone.
  virtual RowIdentity verify(const Decoder& decoder) = 0;
  // Writes the results. kCheckFailed when something that was asked for could not be had.
  virtual ExitCode write(RunDirectory& run) = 0;
};

// The run directory to write. Throws InputError when none was given.
std::filesystem::path output_folder(const Json& config, const RunOptions& options);

// The worse of two ends.
inline ExitCode worse(ExitCode a, ExitCode b) { return a == ExitCode::kDone ? b : a; }

// Takes an experiment from the plan to a complete run directory: checks the output folder, computes what is
// missing group by group, checks row identity, and has the results written. Returns the run's exit code;
// throws Interrupted with a resumable run.
ExitCode execute(const PromptRun& prompts, const RunOptions& options, Experiment& experiment);

}  // namespace hrt
