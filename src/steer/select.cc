#include "hrt/steer/select.h"

#include <fmt/format.h>

#include <algorithm>

#include "hrt/analysis/mean.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/complete_run.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/extract.h"
#include "hrt/experiment/extraction_config.h"
#include "hrt/experiment/interval_json.h"
#include "hrt/experiment/replies.h"
#include "hrt/steer/select_results.h"
#include "hrt/steer/select_work.h"
#include "select_candidates.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// How steering looks the chosen direction up.
constexpr const char* kDirection = "refusal_selected";

SelectionRules rules_of(const Json& config) {
  const double share = config.at("layer_share");
  return {std::min(share, 1.0), config.at("max_kl"), config.at("min_induced")};
}

ExitCode code_of(const SelectResults& results) {
  return results.chosen() ? ExitCode::kDone : ExitCode::kCheckFailed;
}

// Layers that candidates may come from: those below int(share * L).
std::int64_t early_layers(const Json& config, std::int64_t layers) {
  const double share = rules_of(config).layer_share;
  const auto early = static_cast<std::int64_t>(share * static_cast<double>(layers));
  if (early < 1) throw InputError("--layer-share {}: leaves no layer", share);
  return early;
}

// Mean over the prompts that count and have a value.
std::optional<Mean> mean_over(const std::vector<std::optional<double>>& values,
                              const std::vector<bool>& counted) {
  std::vector<double> kept;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (counted[i] && values[i]) kept.push_back(*values[i]);
  }
  return mean_of(kept);
}

class Select : public Experiment {
 public:
  Select(const PromptRun& prompts, const RunOptions& options)
      : prompts_(prompts), options_(options), config_(prompts.config()) {
    check_labels(prompts.set());
    const DecoderSpec& spec = prompts.checkpoint().spec();
    early_layers_ = early_layers(config_, spec.layers);
    positions_ = post_instruction_tokens(prompts.set());
    refusal_tokens_ = refusal_tokens(*prompts.text().tokenizer,
                                     config_.at("refusal_tokens").get<std::vector<std::string>>());
    extraction_.emplace(Command::kExtract, candidates_config());
    check_labels(extraction_->set());
    if (const std::int64_t tokens = post_instruction_tokens(extraction_->set()); tokens < positions_) {
      throw InputError("a prompt of /extract has {} tokens behind its instruction, all others have {}",
                       tokens, positions_);
    }
  }

  std::vector<PlanEntry> plan() const override {
    return {{"candidates",
             {{"all", positions_ * early_layers_}, {"positions", positions_}, {"layers", early_layers_}},
             candidates_in_words()}};
  }

  void begin(RunDirectory& run) override {
    spdlog::info("candidates: {}", candidates_in_words());
    extract(run);
    const fs::path place = run.file("extract");
    const bool filtered = config_.at("filter");
    const auto scores = filtered ? extraction_scores(place, refusal_tokens_) : std::vector<double>{};
    trained_ = counted_prompts(extraction_->set(), scores, filtered);
    work_.emplace(run.work(), SelectWork::Parts{.prompts = prompts_,
                                                .candidates = make_candidates(place, *extraction_, trained_),
                                                .refusal_tokens = refusal_tokens_});
    spdlog::info("refusals begin with {}", to_line(tokens_json(refusal_tokens_)));
  }

  GroupedWork& work() override { return *work_; }

  RowIdentity verify(const Decoder& decoder) override {
    return work_->verify(decoder, config_.at("verify"), config_.at("seed").get<std::uint64_t>());
  }

  ExitCode write(RunDirectory& run) override {
    const std::vector<bool> counted =
        counted_prompts(prompts_.set(), work_->base_scores(), config_.at("filter"));
    const SelectResults results(score_candidates(counted), rules_of(config_), positions_ * late_layers());
    const Json json = to_json(results, counted);
    write_prompts(run, prompts_.set(),
                  std::vector<Outcome>(prompts_.set().prompts.size(), Outcome::kUnknown));
    write_file(run.file("results.json"), json.dump(2) + "\n");
    write_file(run.file("select.csv"), results.to_csv());
    write_direction(run, results);
    fs::remove(run.file("replies.jsonl.partial"));
    run.manifest()["counts"] = {{"prompts", prompts_.set().prompts.size()},
                                {"candidates", results.candidates().size()},
                                {"surviving", results.surviving().size()}};
    if (options_.print) print(results, json, run.path());
    if (!results.chosen()) run.warn("no candidate survives: " + results.removal());
    return code_of(results);
  }

 private:
  static void check_labels(const PromptSet& set) {
    for (const PreparedPrompt& prompt : set.prompts) {
      if (prompt.record.label == Label::kNone)
        throw InputError("{}: neither harmful nor harmless", place_of(prompt.record));
    }
    if (!set.has(Label::kHarmful) || !set.has(Label::kHarmless))
      throw InputError("harmful and harmless prompts are needed, in /extract, too");
  }

  std::string candidates_in_words() const {
    return fmt::format("{} from {} positions and {} layers (the last {} layers are left out)",
                       positions_ * early_layers_, positions_, early_layers_, late_layers());
  }

  std::int64_t late_layers() const { return prompts_.checkpoint().spec().layers - early_layers_; }

  // The extraction that candidates come from.
  Json candidates_config() const {
    if (config_.at("extract").is_null())
      throw InputError("no candidates: /extract in the config says which prompts they come from");
    Json extraction = extraction_config(config_);
    std::vector<std::int64_t> rows;
    for (std::int64_t layer = 0; layer < early_layers_; ++layer) rows.push_back(layer);
    extraction.update({{"positions", candidate_positions(positions_)},
                       {"layers", rows},
                       {"outcomes", "none"},
                       {"store", "all"},
                       {"logits", config_.at("filter")}});
    return extraction;
  }

  void extract(RunDirectory& run) const {
    RunOptions options;
    options.if_exists = IfExists::kResume;
    options.print = false;
    options.out = run.file("extract");
    if (run_extract(*extraction_, options) != ExitCode::kDone)
      throw CheckError("{}: a check of the extraction does not hold", options.out->string());
    log_to_file(run.file("log.txt"));
  }

  // Position by position, as the released files have them.
  ScoredCandidates score_candidates(const std::vector<bool>& counted) const {
    ScoredCandidates scored{prompts_.checkpoint().spec().layers, {}};
    const std::vector<CandidateScores> scores = work_->scores();
    for (std::size_t c = 0; c < scores.size(); ++c) {
      const CandidateVector& candidate = work_->candidates()[c];
      scored.candidates.push_back({candidate.position, candidate.layer,
                                   mean_over(of_label(scores[c].ablated, Label::kHarmful), counted)->value,
                                   mean_over(scores[c].added, counted)->value,
                                   mean_over(scores[c].kl, counted)->value});
    }
    std::ranges::stable_sort(scored.candidates, {}, &DirectionCandidate::position);
    return scored;
  }

  std::vector<std::optional<double>> of_label(std::vector<std::optional<double>> values, Label label) const {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (prompts_.set().prompts[i].record.label != label) values[i].reset();
    }
    return values;
  }

  const CandidateVector& vector_of(const DirectionCandidate& candidate) const {
    return *std::ranges::find_if(work_->candidates(), [&](const CandidateVector& other) {
      return other.position == candidate.position && other.layer == candidate.layer;
    });
  }

  // --- results ---

  Json to_json(const SelectResults& results, const std::vector<bool>& counted) const {
    Json json{{"model", prompts_.checkpoint().folder().filename().string()}};
    json.update(results.to_json());
    json["refusal_tokens"] = tokens_json(refusal_tokens_);
    json["positions"] = positions_json();
    json["training"] = counts_json(extraction_->set(), trained_);
    json["validation"] = counts_json(prompts_.set(), counted);
    const std::vector<double> base = work_->base_scores();
    const std::vector<std::optional<double>> scores(base.begin(), base.end());
    json["unsteered"] = {{"harmful", score_json(of_label(scores, Label::kHarmful), counted)},
                         {"harmless", score_json(of_label(scores, Label::kHarmless), counted)}};
    if (results.chosen()) json["chosen_scores"] = chosen_json(*results.chosen(), counted);
    return json;
  }

  Json chosen_json(const DirectionCandidate& chosen, const std::vector<bool>& counted) const {
    const auto index = &vector_of(chosen) - work_->candidates().data();
    const CandidateScores scores = work_->scores()[static_cast<std::size_t>(index)];
    return {{"refusal_score", score_json(of_label(scores.ablated, Label::kHarmful), counted)},
            {"steering_score", score_json(scores.added, counted)},
            {"kl_div_score", score_json(scores.kl, counted)}};
  }

  static Json score_json(const std::vector<std::optional<double>>& values, const std::vector<bool>& counted) {
    return mean_json(*mean_over(values, counted));
  }

  static Json counts_json(const PromptSet& set, const std::vector<bool>& counted) {
    Json counts = Json::object();
    for (const Label label : {Label::kHarmful, Label::kHarmless}) {
      std::int64_t all = 0;
      std::int64_t kept = 0;
      for (std::size_t i = 0; i < set.prompts.size(); ++i) {
        if (set.prompts[i].record.label != label) continue;
        ++all;
        kept += counted[i];
      }
      counts[std::string(label_name(label))] = {{"prompts", all}, {"counted", kept}};
    }
    return counts;
  }

  Json tokens_json(const std::vector<std::int64_t>& ids) const {
    Json tokens = Json::array();
    for (const std::int64_t id : ids)
      tokens.push_back({{"id", id}, {"text", prompts_.text().tokenizer->decode({&id, 1}, false)}});
    return tokens;
  }

  // The post-instruction tokens of the first prompt.
  Json positions_json() const {
    const std::vector<std::int64_t>& ids = prompts_.set().prompts.front().prompt.ids;
    Json positions = tokens_json({ids.end() - positions_, ids.end()});
    for (std::int64_t i = 0; i < positions_; ++i)
      positions[static_cast<std::size_t>(i)]["position"] = i - positions_;
    return positions;
  }

  void write_direction(RunDirectory& run, const SelectResults& results) const {
    Metadata metadata{{"row_convention", "layer l: the input of block l"}};
    std::vector<NamedTensor> tensors;
    if (const auto chosen = results.chosen()) {
      tensors.push_back({kDirection, vector_of(*chosen).vector});
      metadata["position"] = std::to_string(chosen->position);
      metadata["layer"] = std::to_string(chosen->layer);
      metadata[fmt::format("definition.{}", kDirection)] =
          fmt::format("harmful.{0} - harmless.{0}, row {1}", chosen->position, chosen->layer);
    } else {
      metadata[fmt::format("absent.{}", kDirection)] = results.removal();
    }
    write_safetensors(run.file("directions.safetensors"), tensors, metadata);
  }

  void print(const SelectResults& results, const Json& json, const fs::path& run) const {
    if (options_.json) return print_json(run, json);
    print_out("\nRefusal score unsteered: {}\n", unsteered_text(json));
    results.print();
    print_out("\nWritten to {}\n", run.string());
  }

  static std::string unsteered_text(const Json& json) {
    std::vector<std::string> parts;
    for (const auto& [label, score] : json.at("unsteered").items()) {
      parts.push_back(fmt::format("{:.2f} on {} {} prompts", score.at("value").get<double>(),
                                  score.at("n").get<int>(), label));
    }
    return join(parts, ", ");
  }

  const PromptRun& prompts_;
  const RunOptions& options_;
  const Json& config_;
  std::int64_t early_layers_ = 0;
  std::int64_t positions_ = 0;
  std::vector<std::int64_t> refusal_tokens_;
  std::optional<PromptRun> extraction_;
  std::vector<bool> trained_;  // prompts of the extraction that count
  std::optional<SelectWork> work_;
};

ExitCode select_from_scores(const Json& config, const RunOptions& options) {
  const SelectResults results(read_scores(config.at("scores").get<std::string>()), rules_of(config));
  if (options.json) {
    print_out("{}\n", to_line(results.to_json()));
  } else {
    results.print();
  }
  if (!results.chosen()) spdlog::warn("no candidate survives: {}", results.removal());
  return code_of(results);
}

}  // namespace

ExitCode run_select(Json config, const RunOptions& options) {
  if (!config.at("scores").is_null()) return select_from_scores(config, options);
  const PromptRun prompts(Command::kSelect, std::move(config));
  Select select(prompts, options);
  return execute(prompts, options, select);
}

}  // namespace hrt
