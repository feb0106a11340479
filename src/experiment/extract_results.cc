#include "hrt/experiment/extract_results.h"

#include <algorithm>

#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/complete_run.h"
#include "hrt/experiment/extract_table.h"

namespace hrt {
namespace {

constexpr std::int64_t kFewPrompts = 10;  // a centroid of fewer says little

void report_absent(const Direction& direction, RunDirectory& run) {
  const std::string message = fmt::format("no direction {}: {}", direction.name, direction.absent);
  if (direction.required) {
    run.warn(message);
  } else {
    spdlog::info("{}", message);
  }
}

// Of categories there are many, and few prompts each.
void report_few(const std::vector<const Direction*>& directions, RunDirectory& run) {
  std::vector<std::string> categories;
  for (const Direction* d : directions) {
    const auto fewest = static_cast<std::size_t>(std::min(d->plus_count, d->minus_count));
    if (d->is_of_category()) {
      categories.push_back(fmt::format("{} ({})", d->name, fewest));
    } else {
      run.warn(
          fmt::format("direction {} rests on {} ({})", d->name, counted(fewest, "prompt"), d->definition()));
    }
  }
  if (categories.empty()) return;
  run.warn(fmt::format("directions of categories that rest on fewer than {} prompts: {}", kFewPrompts,
                       join(categories, ", ")));
}

void report_directions(const std::vector<Direction>& directions, RunDirectory& run) {
  std::vector<const Direction*> few;
  for (const Direction& direction : directions) {
    if (!direction.asked) continue;
    if (!direction.is_there()) {
      report_absent(direction, run);
    } else if (std::min(direction.plus_count, direction.minus_count) < kFewPrompts) {
      few.push_back(&direction);
    }
  }
  report_few(few, run);
}

// In results.json, which is what --json prints, or as a table.
void tell(RunDirectory& run, const ExtractSummary& summary, const RunOptions& options) {
  const Json results = summary_json(summary);
  write_file(run.file("results.json"), results.dump(2) + "\n");
  if (!options.print) return;
  if (options.json) return print_json(run.path(), results);
  print_summary(summary, run.path());
}

}  // namespace

DirectionRequest direction_request(const Json& config, bool raw) {
  const std::string no_refusal = raw                               ? "not asked for: with the raw template"
                                 : config.at("outcomes") == "none" ? "not asked for: --outcomes none"
                                                                   : "";
  return {no_refusal, config.at("pair") == "outcome", config.at("category_directions").get<bool>()};
}

ExitCode write_extraction(RunDirectory& run, const ExtractInput& input, const DirectionRequest& request,
                          const RunOptions& options) {
  const Memberships memberships = memberships_of(input.set, input.outcomes, request.by_category);
  const auto centroids = compute_centroids(input.set, memberships, input.captured);
  std::vector<Direction> directions = compute_directions(input.set, centroids, request);
  measure_agreement(directions, input.set, memberships, centroids, input.captured);
  write_centroids(run.file("centroids.safetensors"), centroids, input.rows);
  write_directions(run.file("directions.safetensors"), directions, input.rows);
  report_directions(directions, run);

  const ExtractSummary summary{input.rows, {input.set, input.outcomes}, input.unknown_replies, directions};
  Json counts = summary.counts.to_json();
  counts["unknown_outcomes"] = summary.unknown;
  counts["replies"] = run.manifest().value(Json::json_pointer("/counts/replies"), Json());
  run.manifest()["counts"] = counts;
  tell(run, summary, options);
  const bool all_there = std::ranges::all_of(
      directions, [](const Direction& d) { return d.is_there() || !d.asked || !d.required; });
  return all_there ? ExitCode::kDone : ExitCode::kCheckFailed;
}

}  // namespace hrt
