#include "hrt/experiment/extract.h"

#include <algorithm>

#include "hrt/base/log.h"
#include "hrt/experiment/extract_table.h"
#include "hrt/experiment/replies.h"
#include "hrt/experiment/results.h"

namespace hrt {
namespace {

constexpr std::int64_t kFewPrompts = 10;  // a centroid of fewer says little

DirectionRequest direction_request(const PromptRun& prompts) {
  const bool outcomes = prompts.config().at("outcomes") != "none" && !prompts.text().chat.raw();
  return {outcomes, prompts.config().at("pair") == "outcome"};
}

// The model's own reply decides where there is one, else what the file says.
std::vector<Outcome> outcomes_of(const PromptRun& prompts,
                                 const std::vector<std::optional<Verdict>>& verdicts) {
  const std::string rule = prompts.config().at("outcomes");
  const bool file_counts = rule == "auto" || rule == "file";
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const auto given = file_counts ? prompts.set().prompts[i].record.outcome : std::nullopt;
    outcomes.push_back(verdicts[i] ? verdicts[i]->outcome : given.value_or(Outcome::kUnknown));
  }
  return outcomes;
}

std::int64_t unknown_replies(const std::vector<std::optional<Verdict>>& verdicts) {
  return std::count_if(verdicts.begin(), verdicts.end(),
                       [](const auto& v) { return v && v->outcome == Outcome::kUnknown; });
}

void report_absent(const Direction& direction, RunDirectory& run) {
  const std::string message = fmt::format("no direction {}: {}", direction.name, direction.absent);
  if (direction.required) {
    run.warn(message);
  } else {
    spdlog::info("{}", message);
  }
}

void report_directions(const std::vector<Direction>& directions, RunDirectory& run) {
  for (const Direction& direction : directions) {
    const std::int64_t fewest = std::min(direction.plus_count, direction.minus_count);
    if (!direction.absent.empty()) {
      report_absent(direction, run);
    } else if (fewest < kFewPrompts) {
      run.warn(fmt::format("direction {} rests on {} prompts ({} and {})", direction.name, fewest,
                           direction.plus, direction.minus));
    }
  }
}

ExitCode write_results(const Computed& computed, bool json) {
  const auto& [prompts, run, groups] = computed;
  const auto verdicts = write_replies(computed);
  const std::vector<Outcome> outcomes = outcomes_of(prompts, verdicts);
  write_prompts(computed, outcomes);

  const auto centroids = compute_centroids(prompts.set(), groups, outcomes);
  const auto directions = compute_directions(prompts.set(), centroids, direction_request(prompts));
  if (prompts.config().at("store") == "all") {
    const DecoderSpec& spec = prompts.checkpoint().spec();
    write_activations(run.file("activations.safetensors"), prompts.set(), prompts.work(), groups,
                      prompts.dtype(), spec.hidden, spec.vocabulary);
  }
  write_centroids(run.file("centroids.safetensors"), centroids, prompts.work().rows);
  write_directions(run.file("directions.safetensors"), directions, prompts.work().rows);

  const ExtractSummary summary{prompts.work().rows, quadrant_counts(prompts.set(), outcomes),
                               unknown_replies(verdicts), directions};
  run.manifest()["counts"] = {
      {"prompts", outcomes.size()}, {"quadrants", summary.quadrants}, {"unknown_outcomes", summary.unknown}};
  report_directions(directions, run);
  print_summary(summary, run.path(), json);
  const bool all_there = std::all_of(directions.begin(), directions.end(),
                                     [](const Direction& d) { return d.absent.empty() || !d.required; });
  return all_there ? ExitCode::kDone : ExitCode::kCheckFailed;
}

}  // namespace

ExitCode run_extract(Json config, const RunOptions& options) {
  const PromptRun prompts(Command::kExtract, std::move(config));
  return execute(prompts, options,
                 [&](const Computed& computed) { return write_results(computed, options.json); });
}

}  // namespace hrt
