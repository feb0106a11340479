#include "hrt/steer/steer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "cell_edits.h"
#include "hrt/base/file.h"
#include "hrt/base/hash.h"
#include "hrt/base/log.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/centroids.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/extract.h"
#include "hrt/experiment/extraction_config.h"
#include "hrt/experiment/repeated_prompts.h"
#include "hrt/experiment/replies.h"
#include "hrt/experiment/run_model.h"
#include "hrt/experiment/stored_run.h"
#include "hrt/steer/sweep_files.h"
#include "hrt/steer/sweep_work.h"

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

class Steer : public Experiment {
 public:
  Steer(const PromptRun& prompts, const RunOptions& options)
      : prompts_(prompts), options_(options), config_(prompts.config()) {
    // A direction without a path is the extraction's.
    if (!config_.at("direction").is_null()) place_ = split_direction(config_.at("direction")).path;
    if (place_.empty() && !config_.at("extract").is_null())
      extraction_.emplace(Command::kExtract, extraction_config(config_));
    cells_ = make_cells(config_, prompts.checkpoint().spec().layers, categories());
    if (is_inversion(config_)) {
      if (prompts.text().tokenizer == nullptr) throw InputError("--task inversion needs prompts as text");
      inversion_ = Inversion::load(config_.at("question"), data_dir());
      answers_ = answer_tokens(*prompts.text().tokenizer, *inversion_);
    }
    if (!place_.empty()) {
      open_directions();  // what is there already is checked before anything is written
    } else if (cells_.size() > 1 && !extraction_) {
      throw InputError("no directions: give --direction RUN, or /extract in the config");
    }
  }

  Json identity() const override {
    Json identity = Json::object();
    if (!place_.empty()) identity["directions"] = directions_hash();
    if (inversion_ && is_question_file(config_.at("question").get<std::string>()))
      identity["answers"] = {inversion_->yes, inversion_->no};  // the frame is in the prompts' tokens
    return identity;
  }

  std::vector<std::string> warnings() const override {
    std::vector<std::string> differences;
    for (const fs::path& run : directions_ ? directions_->runs() : std::set<fs::path>()) {
      const std::string difference = model_difference(run, prompts_.checkpoint());
      if (!difference.empty()) differences.push_back(difference);
    }
    return differences;
  }

  std::vector<PlanEntry> plan() const override {
    const std::size_t replies = replies_of(cut());
    Json sweeps = Json::object();
    std::string text = fmt::format("{} in all", counted(replies, "reply"));
    for (const auto& [name, sizes] : sweep_sizes()) {
      sweeps[name] = {{"cells", sizes.cells}, {"controls", sizes.controls}};
      text += fmt::format("; {}: {}, {}", name, counted(sizes.cells, "cell"),
                          counted(sizes.controls, "random control"));
    }
    return {{"cells",
             {{"all", cells_.size()}, {"replies", replies}, {"sweeps", sweeps}},
             fmt::format("{}, {}", cells_.size(), text)}};
  }

  void begin(RunDirectory& run) override {
    if (extraction_ && cells_.size() > 1) extract_directions(run);
    warn_of_shared_prompts(run);
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
    if (inversion_) parts.worth_steering = [this](std::size_t groups) { return is_worth_steering(groups); };
    work_.emplace(run.work(), std::move(parts), cut());
    spdlog::info("{}, {} in {}", counted(cells_.size(), "cell"),
                 counted(replies_of(work_->groups()), "reply"), counted(work_->group_count(), "group"));
  }

  GroupedWork& work() override { return *work_; }

  RowIdentity verify(const Decoder& decoder) override {
    return work_->verify(decoder, config_.at("verify"), config_.at("seed").get<std::uint64_t>());
  }

  ExitCode write(RunDirectory& run) override {
    const Lines lines = reply_lines(work_->group_count());
    write_replies(run, lines);
    const std::vector<SweepOutcome> outcomes = outcomes_of(lines);
    write_prompts(run, prompts_.set(), baseline_outcomes(outcomes));
    run.manifest()["counts"] = {
        {"prompts", prompts_.set().prompts.size()}, {"cells", cells_.size()}, {"replies", lines.size()}};
    const SweepResults results(cells_, prompts_.set(), outcomes, receipts(), inversion_.has_value());
    return write_sweep(run, results, cells_, options_);
  }

 private:
  using Lines = std::map<std::pair<std::size_t, std::size_t>, Json>;  // of replies.jsonl, by cell and prompt

  void open_directions() {
    const DecoderSpec& spec = prompts_.checkpoint().spec();
    directions_.emplace(place_, spec.layers, spec.hidden);
    for (const Cell& cell : cells_) {
      if (!cell.is_baseline()) check_directions(cell, *directions_, spec.hidden);
    }
  }

  void extract_directions(RunDirectory& run) {
    spdlog::info("directions first: an extraction in {}", run.file("extract").string());
    RunOptions options;
    options.if_exists = IfExists::kResume;
    options.print = false;
    options.out = run.file("extract");
    run_extract(*extraction_, options);
    log_to_file(run.file("log.txt"));  // the extraction has a log of its own
    place_ = run.file("extract");
    open_directions();
  }

  void warn_of_shared_prompts(RunDirectory& run) const {
    if (!fs::is_directory(place_) || !fs::exists(place_ / "prompts.jsonl")) return;
    const PromptSet extracted = read_stored_prompts(place_ / "prompts.jsonl", {});
    for (const std::string& sentence : describe_shared(prompts_.set(), extracted)) run.warn(sentence);
  }

  // The categories that a sweep over "NAME:*" goes over: those of the extraction's harmful prompts.
  std::vector<std::string> categories() const {
    return extraction_ ? harmful_categories(extraction_->set()) : std::vector<std::string>{};
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

  std::vector<SweepGroup> cut() const {
    return cut_sweep(cells_, prompts_.set(), prompts_.checkpoint().spec(), group_size(),
                     inversion_.has_value());
  }

  // Of the baseline's answers, which the first `groups` hold.
  bool is_worth_steering(std::size_t groups) const {
    return !separation_of(outcomes_of(reply_lines(groups)), cells_, prompts_.set()).fails();
  }

  static std::size_t replies_of(const std::vector<SweepGroup>& groups) {
    std::size_t count = 0;
    for (const SweepGroup& group : groups) count += group.size();
    return count;
  }

  struct SweepSize {
    std::size_t cells = 0;
    std::size_t controls = 0;
  };
  // By sweep, in their order.
  std::vector<std::pair<std::string, SweepSize>> sweep_sizes() const {
    std::vector<std::pair<std::string, SweepSize>> sizes;
    for (const Cell& cell : cells_) {
      if (cell.is_baseline()) continue;
      if (sizes.empty() || sizes.back().first != cell.sweep) sizes.emplace_back(cell.sweep, SweepSize{});
      ++(cell.control_of ? sizes.back().second.controls : sizes.back().second.cells);
    }
    return sizes;
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
    } else if (judged.text && !config_.at("stop_when_decided").get<bool>()) {
      line["beginnings"] = beginnings(judged);
    }
    if (cells_.size() > 1) line["cell"] = cells_[item.cell].name;
    return line;
  }

  // How many bytes of a reply's text its first 32, 64, ... tokens make, where they are judged.
  Json beginnings(const JudgedReply& judged) const {
    Json bytes = Json::object();
    for (const std::int64_t count : kJudgedAfter) {
      if (count > prompts_.work().max_new_tokens) break;
      std::vector<std::int64_t> tokens = judged.reply.tokens;
      tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(count)));
      const std::string text = prompts_.reader().tokenizer->decode(tokens, true);
      // A character whose bytes are not all there yet is no part of it.
      bytes[std::to_string(count)] = std::ranges::mismatch(text, *judged.text).in1 - text.begin();
    }
    return bytes;
  }

  // Of the first `groups` groups.
  Lines reply_lines(std::size_t groups) const {
    Lines lines;
    for (std::size_t g = 0; g < groups; ++g) {
      const auto replies = work_->replies(g);
      const std::vector<double> kl = work_->kl(g);
      const auto mass = work_->answer_mass(g);
      for (std::size_t i = 0; i < replies.size(); ++i) {
        if (!replies[i]) continue;
        const SweepItem& item = work_->groups()[g][i];
        Json line = line_of(item, *replies[i]);
        if (!std::isnan(kl[i])) line["kl"] = kl[i];
        if (inversion_) line.update({{"yes", mass[i][0]}, {"no", mass[i][1]}});
        lines.emplace(std::pair(item.cell, item.prompt), std::move(line));
      }
    }
    return lines;
  }

  std::vector<SweepOutcome> outcomes_of(const Lines& lines) const {
    std::vector<SweepOutcome> outcomes;
    for (const auto& [item, line] : lines)
      outcomes.push_back(read_outcome(line, {item.first, item.second}, &prompts_.judge()));
    return outcomes;
  }

  std::vector<Outcome> baseline_outcomes(const std::vector<SweepOutcome>& outcomes) const {
    std::vector<Outcome> result(prompts_.set().prompts.size(), Outcome::kUnknown);
    for (const SweepOutcome& outcome : outcomes) {
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

  static void write_replies(RunDirectory& run, const Lines& lines) {
    AtomicFile file(run.file("replies.jsonl"));
    for (const auto& [item, line] : lines) file.write(to_line(line) + "\n");
    file.commit();
    fs::remove(run.file("replies.jsonl.partial"));
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
  if (!config.at("from").is_null()) return run_steer_from(config, options);
  const PromptRun prompts(Command::kSteer, std::move(config));
  Steer steer(prompts, options);
  return execute(prompts, options, steer);
}

}  // namespace hrt
