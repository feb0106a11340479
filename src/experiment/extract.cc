#include "hrt/experiment/extract.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdio>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/experiment/extract_table.h"
#include "hrt/experiment/replies.h"
#include "hrt/experiment/results.h"
#include "hrt/experiment/row_identity.h"

namespace hrt {
namespace {

constexpr std::int64_t kFewPrompts = 10;  // a centroid of fewer says little

// Everything of a finished computation, on its way to the run directory.
class Extraction {
 public:
  Extraction(const PromptRun& prompts, RunDirectory& run, const GroupRunner& groups)
      : prompts_(prompts), run_(run), groups_(groups) {}

  void write() {
    write_replies_and_outcomes();
    write_prompts();
    const auto centroids = compute_centroids(prompts_.set(), groups_, outcomes_);
    directions_ = compute_directions(prompts_.set(), centroids, request());
    if (prompts_.config().at("store") == "all") {
      const DecoderSpec& spec = prompts_.checkpoint().spec();
      write_activations(run_.file("activations.safetensors"), prompts_.set(), prompts_.work(), groups_,
                        prompts_.dtype(), spec.hidden, spec.vocabulary);
    }
    write_centroids(run_.file("centroids.safetensors"), centroids, prompts_.work().rows);
    write_directions(run_.file("directions.safetensors"), directions_, prompts_.work().rows);
    report_counts();
  }

  ExtractSummary summary() const {
    return {prompts_.work().rows, quadrant_counts(prompts_.set(), outcomes_), unknown_, directions_};
  }

  bool has_all_directions() const {
    return std::all_of(directions_.begin(), directions_.end(),
                       [](const Direction& d) { return d.absent.empty() || !d.required; });
  }

 private:
  DirectionRequest request() const {
    const bool outcomes = prompts_.config().at("outcomes") != "none" && !prompts_.text().chat.raw();
    return {outcomes, prompts_.config().at("pair") == "outcome"};
  }

  Outcome given_outcome(const PreparedPrompt& prompt) const {
    const std::string rule = prompts_.config().at("outcomes");
    const bool counts = rule == "auto" || rule == "file";
    return counts ? prompt.record.outcome.value_or(Outcome::kUnknown) : Outcome::kUnknown;
  }

  void write_replies_and_outcomes() {
    AtomicFile file(run_.file("replies.jsonl"));
    for (std::size_t g = 0; g < groups_.groups().size(); ++g) {
      const auto replies = groups_.result(g).replies();
      for (std::size_t i = 0; i < replies.size(); ++i) {
        const PreparedPrompt& prompt = prompts_.set().prompts[outcomes_.size()];
        outcomes_.push_back(given_outcome(prompt));
        if (!replies[i]) continue;
        const JudgedReply judged = judge_reply(*replies[i], prompts_.text().tokenizer.get(), prompts_.judge());
        outcomes_.back() = judged.verdict.outcome;
        unknown_ += judged.verdict.outcome == Outcome::kUnknown;
        file.write(to_line(reply_line(prompt, judged)) + "\n");
      }
    }
    if (prompts_.work().max_new_tokens > 0) file.commit();
    std::filesystem::remove(run_.file("replies.jsonl.partial"));
  }

  void write_prompts() const {
    AtomicFile file(run_.file("prompts.jsonl"));
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      file.write(to_line(prompt_line(prompts_.set().prompts[i], prompts_.set().specs, outcomes_[i])) + "\n");
    }
    file.commit();
  }

  void report_counts() {
    run_.manifest()["counts"] = {{"prompts", outcomes_.size()},
                                 {"quadrants", quadrant_counts(prompts_.set(), outcomes_)},
                                 {"unknown_outcomes", unknown_}};
    for (const Direction& direction : directions_) {
      if (!direction.absent.empty()) {
        const std::string message = fmt::format("no direction {}: {}", direction.name, direction.absent);
        if (direction.required) {
          run_.warn(message);
        } else {
          spdlog::info("{}", message);
        }
        continue;
      }
      const std::int64_t fewest = std::min(direction.plus_count, direction.minus_count);
      if (fewest < kFewPrompts) {
        run_.warn(fmt::format("direction {} rests on {} prompts ({} and {})", direction.name, fewest, direction.plus,
                              direction.minus));
      }
    }
  }

  const PromptRun& prompts_;
  RunDirectory& run_;
  const GroupRunner& groups_;
  std::vector<Outcome> outcomes_;
  std::int64_t unknown_ = 0;
  std::vector<Direction> directions_;
};

ExitCode verify(const PromptRun& prompts, RunDirectory& run, const Decoder& decoder, const GroupRunner& groups) {
  const double share = prompts.config().at("verify");
  if (share == 0) return ExitCode::kDone;
  const auto seed = prompts.config().at("seed").get<std::uint64_t>();
  const RowIdentity identity = check_row_identity(decoder, prompts.set(), prompts.work(), groups, share, seed);
  run.manifest()["row_identity"] = identity.to_json();
  if (identity.holds()) return ExitCode::kDone;
  run.warn(fmt::format("row identity does not hold: prompt {}, {} row {} differs by {:.2g} (at most {:.2g} expected)",
                       identity.worst_prompt, identity.worst_position, identity.worst_row, identity.worst,
                       identity.tolerance));
  return ExitCode::kCheckFailed;
}

}  // namespace

ExitCode run_extract(Json config, const RunOptions& options) {
  const c10::InferenceMode inference;
  const PromptRun prompts(Command::kExtract, std::move(config));
  if (options.dry_run) {
    prompts.print_plan(options.json);
    return ExitCode::kDone;
  }
  const auto out = checked_output(prompts.config(), prompts.estimate());
  RunDirectory run(out, options.if_exists, prompts.identity());
  if (run.complete()) {
    spdlog::info("{} is complete already", out.string());
    return static_cast<ExitCode>(run.manifest().at("exit_code").get<int>());
  }
  log_to_file(run.file("log.txt"));
  prompts.describe(run);
  run.save();

  GroupRunner groups(run, prompts.set(), prompts.work(),
                     cut_groups(static_cast<std::int64_t>(prompts.set().prompts.size()), prompts.group_size()));
  const Decoder decoder = prompts.load();
  compute_groups(prompts, run, groups, decoder);
  ExitCode code = verify(prompts, run, decoder, groups);
  Extraction extraction(prompts, run, groups);
  extraction.write();
  if (!extraction.has_all_directions()) code = ExitCode::kCheckFailed;
  run.finish(static_cast<int>(code));
  print_summary(extraction.summary(), out, options.json);
  return code;
}

}  // namespace hrt
