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

ExitCode write_results(const Computed& computed, bool json) {
  std::vector<Outcome> outcomes;
  for (const auto& verdict : write_replies(computed)) {
    outcomes.push_back(verdict ? verdict->outcome : Outcome::kUnknown);
  }
  write_prompts(computed, outcomes);
  const Json counts = count_verdicts(computed.prompts.set(), outcomes);
  computed.run.manifest()["counts"] = {{"prompts", outcomes.size()}, {"verdicts", counts}};
  if (json) {
    fmt::print("{}\n", to_line({{"run", computed.run.path().string()}, {"verdicts", counts}}));
  } else {
    print_counts(counts, computed.run.path());
  }
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_steer(Json config, const RunOptions& options) {
  const PromptRun prompts(Command::kSteer, std::move(config));
  return execute(prompts, options,
                 [&](const Computed& computed) { return write_results(computed, options.json); });
}

}  // namespace hrt
