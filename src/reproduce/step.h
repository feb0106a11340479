#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/experiment/catalog.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/reproduce/experiment_list.h"
#include "hrt/reproduce/reproduce.h"
#include "inputs.h"

namespace hrt {

// One run: a shared extraction or an experiment, with its config and what of its input is there.
struct Step {
  ExperimentSpec spec;
  bool extraction = false;
  std::filesystem::path out;
  Json config;
  Inputs inputs;
};

// The steps of the chosen experiments, extractions first. `files` collects the prompt files that are missing.
std::vector<Step> plan_steps(const ExperimentList& list, const std::vector<ExperimentSpec>& chosen,
                             const std::vector<Override>& overrides, const Catalog& catalog,
                             const std::filesystem::path& out, std::set<std::string>& files);

// What a run's folder holds. A run whose manifest nobody can read is broken: taking it up fails.
enum class RunState { kNone, kUnfinished, kComplete, kBroken };
RunState state_of_run(const std::filesystem::path& run);

inline bool is_complete(const Step& step) { return state_of_run(step.out) == RunState::kComplete; }

// Runs it, or takes it up. Returns the run's exit code; throws what goes wrong.
ExitCode run_step(const Step& step);

// Runs a command on a resolved config, into its `out`. Unless it is overwritten, a run that is there is taken
// up.
ExitCode run_config(Command command, const Json& config, IfExists if_exists = IfExists::kResume);

// The direction of another experiment in the place of the config's own, where that experiment found one.
// Returns what is to be said about it.
std::string use_direction(Step& step, const std::filesystem::path& out);

// Takes out the sweeps along directions that the shared extraction could not have (a model that refuses
// nothing has no refusal direction). Returns why nothing is left; empty where something is.
std::string keep_directions(Step& step, const std::filesystem::path& out);

// --dry-run.
void print_steps(const std::vector<Step>& steps, const std::filesystem::path& out, const Json& model,
                 const ReproduceOptions& options);

}  // namespace hrt
