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

class Extraction : public Experiment {
 public:
  Extraction(const PromptRun& prompts, const RunOptions& options) : prompts_(prompts), options_(options) {}

  void begin(RunDirectory& run) override {
    const auto count = static_cast<std::int64_t>(prompts_.set().prompts.size());
    work_.emplace(run.work(), prompts_.set(), prompts_.work(), cut_groups(count, prompts_.group_size()),
                  prompts_.batch_size(), prompts_.reader());
  }

  GroupedWork& work() override { return *work_; }

  RowIdentity verify(const Decoder& decoder) override {
    return check_row_identity(decoder, prompts_.set(), prompts_.work(), *work_,
                              prompts_.config().at("verify"),
                              prompts_.config().at("seed").get<std::uint64_t>());
  }

  ExitCode write(RunDirectory& run) override {
    const auto verdicts = write_replies(run, prompts_, *work_);
    const std::vector<Outcome> outcomes = outcomes_of(prompts_, verdicts);
    write_prompts(run, prompts_.set(), outcomes);
    const std::vector<Direction> directions = write_tensors(run, outcomes);
    const ExtractSummary summary{prompts_.work().rows, quadrant_counts(prompts_.set(), outcomes),
                                 unknown_replies(verdicts), directions};
    run.manifest()["counts"] = {{"prompts", outcomes.size()},
                                {"quadrants", summary.quadrants},
                                {"unknown_outcomes", summary.unknown}};
    report_directions(directions, run);
    if (options_.print) print_summary(summary, run.path(), options_.json);
    const bool all_there = std::all_of(directions.begin(), directions.end(),
                                       [](const Direction& d) { return d.absent.empty() || !d.required; });
    return all_there ? ExitCode::kDone : ExitCode::kCheckFailed;
  }

 private:
  std::vector<Direction> write_tensors(const RunDirectory& run, const std::vector<Outcome>& outcomes) const {
    const std::vector<std::int64_t>& rows = prompts_.work().rows;
    const auto centroids = compute_centroids(prompts_.set(), *work_, outcomes);
    auto directions = compute_directions(prompts_.set(), centroids, direction_request(prompts_));
    if (prompts_.config().at("store") == "all") {
      const DecoderSpec& spec = prompts_.checkpoint().spec();
      write_activations(run.file("activations.safetensors"), prompts_.set(), prompts_.work(), *work_,
                        prompts_.dtype(), spec.hidden, spec.vocabulary);
    }
    write_centroids(run.file("centroids.safetensors"), centroids, rows);
    write_directions(run.file("directions.safetensors"), directions, rows);
    return directions;
  }

  const PromptRun& prompts_;
  const RunOptions& options_;
  std::optional<PromptWork> work_;
};

}  // namespace

ExitCode run_extract(Json config, const RunOptions& options) {
  const PromptRun prompts(Command::kExtract, std::move(config));
  Extraction extraction(prompts, options);
  return execute(prompts, options, extraction);
}

}  // namespace hrt
