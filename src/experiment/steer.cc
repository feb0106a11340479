#include "hrt/experiment/steer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "hrt/base/file.h"
#include "hrt/base/hash.h"
#include "hrt/base/log.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/data/degenerate.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/extract.h"
#include "hrt/experiment/replies.h"
#include "hrt/experiment/sweep_results.h"
#include "hrt/experiment/sweep_work.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// Where short replies are judged, too, since verdicts depend on their length.
constexpr std::array<std::int64_t, 3> kJudgedAfter{32, 64, 128};

bool is_inversion(const Json& config) { return config.at("task") == "inversion"; }

// The first tokens that a reply may begin with when it gives this answer, with and without a space before it.
std::set<std::int64_t> first_tokens(const Tokenizer& tokenizer, const std::string& answer) {
  std::set<std::int64_t> tokens;
  for (const std::string& text : {answer, " " + answer}) {
    const Encoding encoding = tokenizer.encode(text);
    if (!encoding.ids.empty()) tokens.insert(encoding.ids.front());
  }
  return tokens;
}

AnswerTokens answer_tokens(const Tokenizer& tokenizer, const Inversion& inversion) {
  const std::set<std::int64_t> yes = first_tokens(tokenizer, inversion.yes);
  const std::set<std::int64_t> no = first_tokens(tokenizer, inversion.no);
  AnswerTokens tokens;
  // What both begin with (a token for the space) tells nothing.
  std::ranges::set_difference(yes, no, std::back_inserter(tokens.yes));
  std::ranges::set_difference(no, yes, std::back_inserter(tokens.no));
  if (tokens.yes.empty() || tokens.no.empty()) {
    throw InputError("the answers \"{}\" and \"{}\" begin with the same token", inversion.yes, inversion.no);
  }
  return tokens;
}

// The config of the extraction that a sweep begins with: what the two commands have in common is the sweep's.
Json extraction_config(const Json& config) {
  static const std::set<std::string> kOwn{"harmful", "harmless", "prompts", "limit",
                                          "field",   "layers",   "out",     "store"};
  Json extraction = Json::object();
  for (const KeySpec& key : keys_of(Command::kExtract)) {
    const bool common = config.contains(key.name) && !kOwn.contains(key.name);
    extraction[key.name] = common ? config.at(key.name) : key.fallback;
  }
  for (const auto& [name, value] : config.at("extract").items()) extraction[name] = value;
  apply_sizes(extraction, Command::kExtract);
  return extraction;
}

class Steer : public Experiment {
 public:
  Steer(const PromptRun& prompts, const RunOptions& options)
      : prompts_(prompts), options_(options), config_(prompts.config()) {
    const bool extracts = config_.at("direction").is_null() && !config_.at("extract").is_null();
    if (extracts) extraction_.emplace(Command::kExtract, extraction_config(config_));
    cells_ = make_cells(config_, prompts.checkpoint().spec().layers, categories());
    if (is_inversion(config_)) {
      if (prompts.text().tokenizer == nullptr) throw InputError("--task inversion needs prompts as text");
      inversion_ = Inversion::load(config_.at("question"), data_dir());
      answers_ = answer_tokens(*prompts.text().tokenizer, *inversion_);
    }
    if (!config_.at("direction").is_null()) {
      place_ = split_direction(config_.at("direction")).path;
      open_directions();  // what is there already is checked before anything is written
    } else if (cells_.size() > 1 && !extraction_) {
      throw InputError("no directions: give --direction RUN, or /extract in the config");
    }
  }

  Json identity() const override {
    Json identity = Json::object();
    if (!place_.empty()) identity["directions"] = directions_hash();
    return identity;
  }

  void begin(RunDirectory& run) override {
    if (extraction_ && cells_.size() > 1) extract_directions(run);
    SweepWork::Parts parts{
        .prompts = prompts_,
        .cells = cells_,
        .directions = *directions_,
        .answers = answers_,
        .batch_size = optional_value<std::int64_t>(config_, "batch_size").value_or(0),
        .describe = [this](const SweepItem& item, const Reply& reply) { return line_of(item, reply); },
    };
    if (config_.at("stop_when_decided"))
      parts.decided = [this](std::string_view text) { return is_decided(text); };
    work_.emplace(run.work(), std::move(parts),
                  cut_sweep(cells_, prompts_.set(), prompts_.checkpoint().spec(), group_size()));
    spdlog::info("{} cells, {} replies in {} groups", cells_.size(), replies(), work_->group_count());
  }

  GroupedWork& work() override { return *work_; }

  RowIdentity verify(const Decoder& decoder) override {
    return work_->verify(decoder, config_.at("verify"), config_.at("seed").get<std::uint64_t>());
  }

  ExitCode write(RunDirectory& run) override {
    write_replies(run);
    const SweepResults results(cells_, prompts_.set(), outcomes(), receipts(), inversion_.has_value());
    write_prompts(run, prompts_.set(), baseline_outcomes());
    write_file(run.file("results.json"), results.to_json().dump(2) + "\n");
    write_file(run.file("sweep.csv"), results.to_csv());
    run.manifest()["counts"] = {
        {"prompts", prompts_.set().prompts.size()}, {"cells", cells_.size()}, {"replies", replies()}};
    if (options_.print) print(results, run.path());
    for (const std::size_t cell : results.untouched()) {
      run.warn(fmt::format("nothing was steered: cell \"{}\" touched no token",
                           escape_for_terminal(cells_[cell].name)));
    }
    return results.untouched().empty() ? ExitCode::kDone : ExitCode::kCheckFailed;
  }

 private:
  void open_directions() {
    const DecoderSpec& spec = prompts_.checkpoint().spec();
    directions_.emplace(place_, spec.layers, spec.hidden);
    for (const Cell& cell : cells_) {
      if (!cell.is_baseline()) check_directions(cell, *directions_, spec.hidden);
    }
  }

  void extract_directions(const RunDirectory& run) {
    spdlog::info("directions first: an extraction in {}", run.file("extract").string());
    RunOptions options;
    options.if_exists = IfExists::kResume;
    options.print = false;
    options.out = run.file("extract");
    run_extract(*extraction_, options);
    place_ = run.file("extract");
    open_directions();
  }

  // The categories that a sweep over "NAME:*" goes over: those of the extraction's harmful prompts.
  std::vector<std::string> categories() const {
    std::set<std::string> names;
    if (!extraction_) return {};
    for (const PreparedPrompt& prompt : extraction_->set().prompts) {
      if (prompt.record.label == Label::kHarmful && !prompt.record.category.empty())
        names.insert(prompt.record.category);
    }
    return {names.begin(), names.end()};
  }

  Json directions_hash() const {
    const fs::path file = fs::is_directory(place_) ? place_ / "directions.safetensors" : place_;
    return sha256_of_file(file);
  }

  std::int64_t group_size() const {
    const std::int64_t suitable =
        suitable_sweep_group(prompts_.set(), prompts_.checkpoint().spec(), prompts_.work().max_new_tokens,
                             prompts_.device().is_cpu());
    return optional_value<std::int64_t>(config_, "group_size").value_or(suitable);
  }

  std::size_t replies() const {
    std::size_t count = 0;
    for (const SweepGroup& group : work_->groups()) count += group.size();
    return count;
  }

  bool is_decided(std::string_view text) const {
    if (inversion_) return inversion_->read(text) != Answer::kOther;
    return prompts_.judge().judge(text).outcome == Outcome::kRefused;
  }

  std::optional<Answer> token_answer(const Reply& reply) const {
    if (!answers_) return std::nullopt;
    const auto begins_with = [&](const std::vector<std::int64_t>& tokens) {
      return !reply.tokens.empty() && std::ranges::find(tokens, reply.tokens.front()) != tokens.end();
    };
    return begins_with(answers_->yes)  ? Answer::kYes
           : begins_with(answers_->no) ? Answer::kNo
                                       : Answer::kOther;
  }

  Json line_of(const SweepItem& item, const Reply& reply) const {
    const JudgedReply judged = judge_reply(reply, prompts_.reader());
    Json line = reply_line(prompts_.set().prompts[item.prompt], judged);
    if (inversion_) {
      line["verdict"] = answer_name(inversion_->read(judged.text.value_or("")));
      line["rule"] = "first answer in the text";
      line["first_token_answer"] = answer_name(*token_answer(reply));
    }
    if (cells_.size() > 1) line["cell"] = cells_[item.cell].name;
    return line;
  }

  SweepOutcome outcome_of(const SweepItem& item, const Reply& reply) const {
    const JudgedReply judged = judge_reply(reply, prompts_.reader());
    SweepOutcome outcome{.item = item, .verdict = judged.verdict};
    outcome.empty = judged.text && trim(*judged.text).empty();
    outcome.looping = is_looping(reply.tokens);
    if (inversion_) {
      outcome.text_answer = inversion_->read(judged.text.value_or(""));
      outcome.token_answer = *token_answer(reply);
    } else if (judged.text && !config_.at("stop_when_decided").get<bool>()) {
      for (const std::int64_t tokens : kJudgedAfter) {
        if (tokens <= prompts_.work().max_new_tokens) outcome.after[tokens] = outcome_after(reply, tokens);
      }
    }
    return outcome;
  }

  Outcome outcome_after(const Reply& reply, std::int64_t tokens) const {
    Reply beginning = reply;
    beginning.tokens.resize(std::min(reply.tokens.size(), static_cast<std::size_t>(tokens)));
    return judge_reply(beginning, prompts_.reader()).verdict.outcome;
  }

  // Of all groups, by cell, then by prompt.
  std::vector<SweepOutcome> outcomes() const {
    std::vector<SweepOutcome> outcomes;
    for (std::size_t g = 0; g < work_->group_count(); ++g) {
      const auto replies = work_->result(g).replies();
      const std::vector<double> kl = work_->kl(g);
      const auto mass = work_->answer_mass(g);
      for (std::size_t i = 0; i < replies.size(); ++i) {
        outcomes.push_back(outcome_of(work_->groups()[g][i], replies[i].value_or(Reply{})));
        if (!std::isnan(kl[i])) outcomes.back().kl = kl[i];
        outcomes.back().answer_mass = mass[i];
      }
    }
    std::ranges::stable_sort(outcomes, {},
                             [](const SweepOutcome& o) { return std::pair(o.item.cell, o.item.prompt); });
    return outcomes;
  }

  std::vector<Outcome> baseline_outcomes() const {
    std::vector<Outcome> result(prompts_.set().prompts.size(), Outcome::kUnknown);
    if (inversion_) return result;
    for (const SweepOutcome& outcome : outcomes()) {
      if (cells_[outcome.item.cell].is_baseline()) result[outcome.item.prompt] = outcome.verdict.outcome;
    }
    return result;
  }

  std::map<std::size_t, CellReceipt> receipts() const {
    std::map<std::size_t, CellReceipt> receipts;
    for (std::size_t g = 0; g < work_->group_count(); ++g) {
      for (const auto& [cell, receipt] : work_->receipts(g)) {
        receipts[cell].tokens += receipt.tokens;
        receipts[cell].changes += receipt.changes;
        receipts[cell].norm_change += receipt.norm_change;
      }
    }
    return receipts;
  }

  void write_replies(const RunDirectory& run) const {
    std::map<std::pair<std::size_t, std::size_t>, Json> lines;
    for (std::size_t g = 0; g < work_->group_count(); ++g) {
      const auto replies = work_->result(g).replies();
      for (std::size_t i = 0; i < replies.size(); ++i) {
        const SweepItem& item = work_->groups()[g][i];
        if (replies[i]) lines[{item.cell, item.prompt}] = line_of(item, *replies[i]);
      }
    }
    AtomicFile file(run.file("replies.jsonl"));
    for (const auto& [item, line] : lines) file.write(to_line(line) + "\n");
    file.commit();
    fs::remove(run.file("replies.jsonl.partial"));
  }

  void print(const SweepResults& results, const fs::path& run) const {
    if (options_.json) {
      Json json{{"run", run.string()}};
      json.update(results.to_json());
      fmt::print("{}\n", to_line(json));
      return;
    }
    print_sweep(results, cells_);
    fmt::print("\nWritten to {}\n", run.string());
  }

  const PromptRun& prompts_;
  const RunOptions& options_;
  const Json& config_;
  std::optional<PromptRun> extraction_;  // that the run begins with
  std::vector<Cell> cells_;
  std::optional<Inversion> inversion_;
  std::optional<AnswerTokens> answers_;
  fs::path place_;  // of the directions
  std::optional<DirectionSource> directions_;
  std::optional<SweepWork> work_;
};

}  // namespace

ExitCode run_steer(Json config, const RunOptions& options) {
  const PromptRun prompts(Command::kSteer, std::move(config));
  Steer steer(prompts, options);
  return execute(prompts, options, steer);
}

}  // namespace hrt
