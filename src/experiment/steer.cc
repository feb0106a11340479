#include "hrt/experiment/steer.h"

#include <fmt/format.h>

#include <map>

#include "hrt/base/strings.h"
#include "hrt/experiment/replies.h"

namespace hrt {
namespace {

// Counts of verdicts by set: {"harmful": {"refused": 12, "accepted": 88, "unknown": 0}}.
Json count_verdicts(const PromptSet& set, const std::vector<Outcome>& outcomes) {
  Json counts = Json::object();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    Json& entry = counts[set.prompts[i].record.set];
    if (entry.is_null()) entry = {{"refused", 0}, {"accepted", 0}, {"unknown", 0}};
    Json& count = entry[std::string(outcome_name(outcomes[i]))];
    count = count.get<std::int64_t>() + 1;
  }
  return counts;
}

void print_counts(const Json& counts, const std::filesystem::path& run) {
  fmt::print("\n  {:<32} {:>8} {:>9} {:>8}\n", "prompts", "refused", "accepted", "unknown");
  for (const auto& [set, count] : counts.items()) {
    fmt::print("  {:<32} {:>8} {:>9} {:>8}\n", escape_for_terminal(set), count["refused"].get<int>(),
               count["accepted"].get<int>(), count["unknown"].get<int>());
  }
  fmt::print("\nWritten to {}\n", run.string());
}

class PlainGeneration : public Experiment {
 public:
  PlainGeneration(const PromptRun& prompts, const RunOptions& options)
      : prompts_(prompts), options_(options) {}

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
    std::vector<Outcome> outcomes;
    for (const auto& verdict : write_replies(run, prompts_, *work_)) {
      outcomes.push_back(verdict ? verdict->outcome : Outcome::kUnknown);
    }
    write_prompts(run, prompts_.set(), outcomes);
    const Json counts = count_verdicts(prompts_.set(), outcomes);
    run.manifest()["counts"] = {{"prompts", outcomes.size()}, {"verdicts", counts}};
    if (options_.json) {
      fmt::print("{}\n", to_line({{"run", run.path().string()}, {"verdicts", counts}}));
    } else {
      print_counts(counts, run.path());
    }
    return ExitCode::kDone;
  }

 private:
  const PromptRun& prompts_;
  const RunOptions& options_;
  std::optional<PromptWork> work_;
};

}  // namespace

ExitCode run_steer(Json config, const RunOptions& options) {
  const PromptRun prompts(Command::kSteer, std::move(config));
  PlainGeneration generation(prompts, options);
  return execute(prompts, options, generation);
}

}  // namespace hrt
