#include "hrt/experiment/extract.h"

#include <algorithm>

#include "hrt/base/file.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/complete_run.h"
#include "hrt/experiment/extract_results.h"
#include "hrt/experiment/prompt_counts.h"
#include "hrt/experiment/replies.h"
#include "hrt/experiment/reply_positions.h"

namespace hrt {
namespace {

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
    return check_row_identity(decoder, computed_set(), prompts_.work(), *work_,
                              prompts_.config().at("verify"),
                              prompts_.config().at("seed").get<std::uint64_t>());
  }

  ExitCode write(RunDirectory& run) override {
    const auto verdicts = write_replies(run, prompts_, *work_);
    const std::vector<Outcome> outcomes = outcomes_of(prompts_, verdicts);
    const PromptSet& set = computed_set();
    write_prompts(run, set, outcomes);
    if (const std::string missing = missing_in_replies(set); !missing.empty()) run.warn(missing);
    if (prompts_.config().at("store") == "all") write_rows(run);
    if (prompts_.shard()) return end_shard(run, {set, outcomes});
    const GroupedRows captured(set, *work_);
    const ExtractInput input{set, outcomes, captured, prompts_.work().rows, unknown_replies(verdicts)};
    const DirectionRequest request = direction_request(prompts_.config(), prompts_.text().chat.raw());
    return write_extraction(run, input, request, options_);
  }

 private:
  // Centroids and directions are made of all shards, by `hrt merge`.
  ExitCode end_shard(RunDirectory& run, const PromptCounts& counts) const {
    run.manifest()["counts"].update(counts.to_json());
    const Shard& shard = *prompts_.shard();
    const Json results{{"shard", prompts_.config().at("shard")}, {"counts", counts.to_json()}};
    write_file(run.file("results.json"), results.dump(2) + "\n");
    if (options_.print && options_.json) print_json(run.path(), results);
    if (options_.print && !options_.json)
      print_out("Shard {} of {}: {} in {}. `hrt merge` makes one run of all shards.\n", shard.index,
                shard.count, counted(static_cast<std::size_t>(counts.all()), "prompt"), run.path().string());
    return ExitCode::kDone;
  }

  // The prompts, with all positions in replies that were asked for. All groups are computed.
  const PromptSet& computed_set() {
    if (!prompts_.set().asks_for_replies()) return prompts_.set();
    if (!with_replies_) {
      with_replies_ = prompts_.set();
      add_generated_replies(*with_replies_, *work_, prompts_.text().tokenizer.get());
    }
    return *with_replies_;
  }

  void write_rows(RunDirectory& run) {
    const DecoderSpec& spec = prompts_.checkpoint().spec();
    const ActivationShape shape{prompts_.dtype(), prompts_.work().rows, spec.hidden,
                                prompts_.work().logits ? spec.vocabulary : 0};
    write_activations(run.file("activations.safetensors"), computed_set(), shape, parts_of(*work_));
  }

  const PromptRun& prompts_;
  const RunOptions& options_;
  std::optional<PromptWork> work_;
  std::optional<PromptSet> with_replies_;
};

}  // namespace

ExitCode run_extract(const PromptRun& prompts, const RunOptions& options) {
  Extraction extraction(prompts, options);
  return execute(prompts, options, extraction);
}

ExitCode run_extract(Json config, const RunOptions& options) {
  if (!config.at("from").is_null()) return run_extract_from(config, options);
  return run_extract(PromptRun(Command::kExtract, std::move(config)), options);
}

}  // namespace hrt
