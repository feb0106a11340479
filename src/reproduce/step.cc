#include "step.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hrt/experiment/direction_source.h"
#include "hrt/experiment/extract.h"
#include "hrt/experiment/run_clock.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/guard/eval.h"
#include "hrt/probe/probe.h"
#include "hrt/steer/select.h"
#include "hrt/steer/steer.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

struct Runner {
  Command command;
  ExitCode (*run)(Json config, const RunOptions& options);
};
constexpr std::array kRunners{
    Runner{Command::kExtract, run_extract},      Runner{Command::kSteer, run_steer},
    Runner{Command::kSelect, run_select},        Runner{Command::kProbe, run_probe},
    Runner{Command::kGuardEval, run_guard_eval},
};

bool has_key(Command command, const Override& change) {
  const auto keys = keys_of(command);
  return std::ranges::any_of(keys, [&](const KeySpec& key) { return key.name == change.path; });
}

// The experiment's own changes, then the user's, as far as the command has such keys.
Json config_of(const ExperimentSpec& spec, const std::vector<Override>& overrides) {
  std::vector<Override> changes;
  for (const auto& [key, value] : spec.set.items())
    changes.push_back({key, value, spec.id + ": /set/" + key});
  for (const Override& change : overrides) {
    if (has_key(spec.command, change)) changes.push_back(change);
  }
  return resolve_config(spec.command, spec.config, changes);
}

// Rows and directions come from the shared extractions, not from one of the experiment's own.
void share_extractions(Step& step, const fs::path& out) {
  if (step.spec.uses.empty()) return;
  if (step.spec.command != Command::kSteer) {
    for (const std::string& name : step.spec.uses) step.config["runs"].push_back((out / name).string());
    // Where these were had decides nothing any more.
    step.config.update({{"model", nullptr}, {"adapter", nullptr}, {"data", nullptr}, {"data_root", nullptr}});
    return;
  }
  const Json& own = step.config.at("direction");
  const std::string place = (out / step.spec.uses.front()).string();
  step.config["direction"] = own.is_null() ? place : fmt::format("{}:{}", place, own.get<std::string>());
  step.config["extract"] = nullptr;
}

Step make_step(const ExperimentSpec& spec, const std::vector<Override>& overrides, const Catalog& catalog,
               const fs::path& out, std::set<std::string>& files) {
  Step step{.spec = spec, .out = out / spec.id, .config = config_of(spec, overrides), .inputs = {}};
  share_extractions(step, out);
  step.config["out"] = step.out.string();
  step.inputs = keep_what_is_there(step.config, catalog, files);
  return step;
}

}  // namespace

std::vector<Step> plan_steps(const ExperimentList& list, const std::vector<ExperimentSpec>& chosen,
                             const std::vector<Override>& overrides, const Catalog& catalog,
                             const fs::path& out, std::set<std::string>& files) {
  std::set<std::string> used;
  for (const ExperimentSpec& spec : chosen) used.insert(spec.uses.begin(), spec.uses.end());
  std::vector<Step> steps;
  for (const ExperimentSpec& spec : list.extractions) {
    if (!used.contains(spec.id)) continue;
    steps.push_back(make_step(spec, overrides, catalog, out, files));
    steps.back().extraction = true;
  }
  for (const ExperimentSpec& spec : chosen) steps.push_back(make_step(spec, overrides, catalog, out, files));
  return steps;
}

RunState state_of_run(const fs::path& run) {
  if (!fs::exists(run / "manifest.json")) return RunState::kNone;
  try {
    return read_manifest(run).at("status") == "complete" ? RunState::kComplete : RunState::kUnfinished;
  } catch (const InputError&) {
    return RunState::kBroken;
  }
}

ExitCode run_config(Command command, const Json& config, IfExists if_exists) {
  RunOptions options;
  options.if_exists = if_exists;
  options.print = false;
  Json kept = config;  // a run that was stopped may be taken up on another day
  if (if_exists == IfExists::kResume) keep_clock(kept);
  return std::ranges::find(kRunners, command, &Runner::command)->run(kept, options);
}

ExitCode run_step(const Step& step) { return run_config(step.spec.command, step.config); }

std::string use_direction(Step& step, const fs::path& out) {
  if (!step.spec.direction) return "";
  const auto& [experiment, name] = *step.spec.direction;
  const fs::path run = out / experiment;
  const fs::path file = run / "results.json";
  const Json chosen = fs::exists(file) ? read_json(file).value("chosen", Json()) : Json();
  if (chosen.is_null())
    return fmt::format("{} {}: {} of the config is taken in its place", experiment,
                       fs::exists(file) ? "found no direction" : "has no results",
                       split_direction(step.config.at("direction")).name);
  step.config["direction"] = fmt::format("{}:{}", run.string(), name);
  // It is added where it comes from; ablation is everywhere.
  if (step.config.at("op") == "add") step.config["layers"] = Json::array({chosen.at("layer")});
  return "";
}

std::string keep_directions(Step& step, const fs::path& out) {
  if (step.spec.command != Command::kSteer || step.spec.uses.empty()) return "";
  const fs::path place = out / step.spec.uses.front();
  const SafetensorsFile there(place / "directions.safetensors");
  const auto why_absent = [&](const std::string& name) -> std::string {
    if (there.find(name) != nullptr) return "";
    const auto reason = there.metadata().find("absent." + name);
    return fmt::format("no direction {} in {}: {}", name, step.spec.uses.front(),
                       reason == there.metadata().end() ? "not asked for" : reason->second);
  };
  const DirectionName own = split_direction(step.config.at("direction"));
  if (own.path == place && !own.name.empty()) return why_absent(own.name);
  Json kept = Json::array();
  std::string reason;
  for (const Json& sweep : step.config.at("sweeps")) {
    const std::string absent = why_absent(sweep.at("direction"));
    if (absent.empty())
      kept.push_back(sweep);
    else
      step.inputs.left_out.push_back(fmt::format("{}: {}", sweep.value("name", "a sweep"), reason = absent));
  }
  const bool nothing_left = kept.empty() && !step.config.at("sweeps").empty();
  step.config["sweeps"] = kept;
  return nothing_left ? reason : "";
}

}  // namespace hrt
