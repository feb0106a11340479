#include "hrt/steer/sweep_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "hrt/base/strings.h"
#include "hrt/experiment/interval_json.h"

namespace hrt {
namespace {

// An AUROC interval that reaches below this shows no separation worth steering.
constexpr double kSeparates = 0.7;

std::string set_of(const PromptRecord& record) { return record.role.empty() ? record.set : record.role; }

// The names of the sets, in the order of their first prompts.
std::vector<std::string> sets_of(const PromptSet& set) {
  std::vector<std::string> names;
  for (const PreparedPrompt& prompt : set.prompts) {
    const std::string name = set_of(prompt.record);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

bool is_hit(const SweepOutcome& outcome, bool inversion) {
  return inversion ? outcome.text_answer == Answer::kNo : outcome.verdict.outcome == Outcome::kRefused;
}

// What a cell does, so that results can be read without looking their cells up.
Json swept_json(const Cell& cell) {
  if (cell.is_baseline())
    return {{"sweep", nullptr}, {"direction", nullptr}, {"coefficient", nullptr},
            {"scope", nullptr}, {"layer", nullptr},     {"control", nullptr}};
  const Intervention& swept = cell.interventions.front();
  const auto layer = cell.layer();
  return {{"sweep", cell.sweep},
          {"direction", swept.direction},
          {"coefficient", swept.coefficient},
          {"scope", scope_name(swept.scope)},
          {"layer", layer ? Json(*layer) : Json()},
          {"control", cell.control_of.has_value()}};
}

// Collects one cell's outcomes on one set.
class Collector {
 public:
  Collector(bool inversion, CellResult& result) : inversion_(inversion), result_(result) {}

  void add(const SweepOutcome& outcome, const SweepOutcome& baseline) {
    ++result_.n;
    result_.empty += outcome.empty;
    result_.looping += outcome.looping;
    result_.paired.add(is_hit(baseline, inversion_), is_hit(outcome, inversion_));
    if (outcome.kl) kls_.push_back(*outcome.kl);
    inversion_ ? add_answer(outcome) : add_verdict(outcome);
  }

  void finish() {
    result_.kl = mean_of(kls_);
    if (inversion_) result_.margin = mean_of(margins_);
  }

 private:
  void add_answer(const SweepOutcome& outcome) {
    ++result_.counts[std::string(answer_name(outcome.text_answer))];
    ++result_.first_token[std::string(answer_name(outcome.token_answer))];
    result_.rate.add(outcome.text_answer == Answer::kNo);
    margins_.push_back(outcome.answer_mass[0] - outcome.answer_mass[1]);
  }

  void add_verdict(const SweepOutcome& outcome) {
    ++result_.counts[std::string(outcome_name(outcome.verdict.outcome))];
    add_judged(result_.rate, outcome.verdict.outcome);
    for (const auto& [tokens, judged] : outcome.after) add_judged(result_.after[tokens], judged);
  }

  static void add_judged(Proportion& rate, Outcome outcome) {
    if (outcome != Outcome::kUnknown) rate.add(outcome == Outcome::kRefused);
  }

  bool inversion_;
  CellResult& result_;
  std::vector<double> kls_;
  std::vector<double> margins_;
};

CellResult empty_result(std::size_t cell, const std::string& set, bool inversion) {
  CellResult result{.cell = cell, .set = set};
  if (inversion) {
    result.counts = result.first_token = {{"yes", 0}, {"no", 0}, {"other", 0}};
  } else {
    result.counts = {{"refused", 0}, {"accepted", 0}, {"unknown", 0}};
  }
  return result;
}

double answer_score(Answer answer) { return answer == Answer::kYes ? 1 : answer == Answer::kNo ? 0 : 0.5; }

std::string csv_number(const std::optional<double>& value) {
  return value ? fmt::format("{:.6g}", *value) : "";
}

std::string csv_text(std::string text) {
  for (std::size_t at = text.find('"'); at != std::string::npos; at = text.find('"', at + 2))
    text.insert(at, "\"");
  return fmt::format("\"{}\"", text);
}

// Replies that the judge could not tell, or answers that are neither yes nor no.
std::int64_t neither(const CellResult& result) {
  const auto found = std::ranges::find_if(
      result.counts, [](const auto& count) { return count.first == "unknown" || count.first == "other"; });
  return found == result.counts.end() ? 0 : found->second;
}

}  // namespace

Separation separation_of(const std::vector<SweepOutcome>& outcomes, const std::vector<Cell>& cells,
                         const PromptSet& set) {
  std::map<Label, std::vector<double>> answers;
  std::map<Label, std::vector<double>> margins;
  for (const SweepOutcome& outcome : outcomes) {
    if (!cells[outcome.item.cell].is_baseline()) continue;
    const Label label = set.prompts[outcome.item.prompt].record.label;
    answers[label].push_back(answer_score(outcome.text_answer));
    margins[label].push_back(outcome.answer_mass[0] - outcome.answer_mass[1]);
  }
  Separation separation;
  separation.by_answer = auroc(answers[Label::kHarmful], answers[Label::kHarmless]);
  separation.by_margin = auroc(margins[Label::kHarmful], margins[Label::kHarmless]);
  if (!separation.by_answer) {
    separation.reason =
        "harmful and harmless prompts are both needed to see whether the unsteered answers differ";
    return separation;
  }
  separation.applies = separation.by_answer->interval.low > kSeparates;
  separation.reason = fmt::format(
      "the unsteered answers {} harmful from harmless prompts (AUROC of the answers {:.2f} [{:.2f}, {:.2f}], "
      "of the "
      "margin {:.2f} [{:.2f}, {:.2f}]; the first interval must lie above {})",
      separation.applies ? "tell" : "do not tell", separation.by_answer->value,
      separation.by_answer->interval.low, separation.by_answer->interval.high, separation.by_margin->value,
      separation.by_margin->interval.low, separation.by_margin->interval.high, kSeparates);
  return separation;
}

SweepResults::SweepResults(const std::vector<Cell>& cells, const PromptSet& set,
                           std::vector<SweepOutcome> outcomes, std::map<std::size_t, CellReceipt> receipts,
                           bool inversion)
    : cells_(cells), inversion_(inversion), receipts_(std::move(receipts)) {
  std::map<std::size_t, const SweepOutcome*> baseline;  // by prompt
  std::map<std::pair<std::size_t, std::string>, std::vector<const SweepOutcome*>> sorted;
  for (const SweepOutcome& outcome : outcomes) {
    if (cells[outcome.item.cell].is_baseline()) baseline[outcome.item.prompt] = &outcome;
    sorted[{outcome.item.cell, set_of(set.prompts[outcome.item.prompt].record)}].push_back(&outcome);
  }
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    for (const std::string& name : sets_of(set)) {
      const auto found = sorted.find({cell, name});
      if (found == sorted.end()) continue;
      CellResult result = empty_result(cell, name, inversion);
      result.label = label_name(set.prompts[found->second.front()->item.prompt].record.label);
      Collector collector(inversion, result);
      for (const SweepOutcome* outcome : found->second)
        collector.add(*outcome, *baseline.at(outcome->item.prompt));
      collector.finish();
      results_.push_back(std::move(result));
    }
  }
  if (inversion) separation_ = separation_of(outcomes, cells, set);
}

const CellResult* SweepResults::find(std::size_t cell, const std::string& set) const {
  const auto found =
      std::ranges::find_if(results_, [&](const CellResult& r) { return r.cell == cell && r.set == set; });
  return found == results_.end() ? nullptr : &*found;
}

std::optional<ControlBand> SweepResults::band(std::size_t cell, const std::string& set) const {
  std::optional<ControlBand> band;
  for (std::size_t c = 0; c < cells_.size(); ++c) {
    if (cells_[c].control_of != cell) continue;
    const CellResult* control = find(c, set);
    const auto rate = control == nullptr ? std::nullopt : control->rate.rate();
    if (!rate) continue;
    if (!band) band = ControlBand{.lowest = control->rate, .highest = control->rate, .pooled = {}};
    if (*rate < band->low()) band->lowest = control->rate;
    if (*rate > band->high()) band->highest = control->rate;
    band->pooled.count += control->rate.count;
    band->pooled.n += control->rate.n;
    band->replies += control->n;
    band->empty += control->empty;
    band->looping += control->looping;
  }
  return band;
}

std::size_t SweepResults::left_out() const {
  const bool steered =
      std::ranges::any_of(results_, [this](const CellResult& r) { return !cells_[r.cell].is_baseline(); });
  return separation_ && separation_->fails() && !steered ? cells_.size() - 1 : 0;
}

std::vector<std::size_t> SweepResults::untouched() const {
  std::vector<std::size_t> cells;
  for (const auto& [cell, receipt] : receipts_) {
    if (receipt.tokens == 0 && !cells_[cell].when) cells.push_back(cell);
  }
  return cells;
}

Json SweepResults::cell_json(const CellResult& result) const {
  const Cell& cell = cells_[result.cell];
  Json json{{"cell", cell.name}};
  json.update(swept_json(cell));
  json.update({{"set", result.set}, {"label", result.label}, {"n", result.n}, {"counts", result.counts}});
  if (inversion_) json["first_token"] = result.first_token;
  json["empty"] = result.empty;
  json["looping"] = result.looping;
  if (has_rates()) json["rate"] = proportion_json(result.rate);
  for (const auto& [tokens, rate] : result.after)
    json["rate_after"][std::to_string(tokens)] = proportion_json(rate);
  if (result.margin) json["margin"] = mean_json(*result.margin);
  if (cell.is_baseline()) return json;
  json["changed"] = {{"to_hit", result.paired.only_second},
                     {"from_hit", result.paired.only_first},
                     {"mcnemar_p", mcnemar_p(result.paired)}};
  if (result.kl) json["kl"] = mean_json(*result.kl);
  if (const auto controls = band(result.cell, result.set); controls && has_rates()) {
    json["control_band"] = {{"lowest", proportion_json(controls->lowest)},
                            {"highest", proportion_json(controls->highest)},
                            {"pooled", proportion_json(controls->pooled)},
                            {"n", controls->replies},
                            {"empty", controls->empty},
                            {"looping", controls->looping}};
    const auto rate = result.rate.rate();
    json["outside_band"] = rate && (*rate < controls->low() || *rate > controls->high());
  }
  return json;
}

Json SweepResults::to_json() const {
  Json cells = Json::array();
  for (std::size_t c = 0; c < cells_.size(); ++c) {
    Json cell = cell_to_json(cells_[c]);
    if (const auto receipt = receipts_.find(c); receipt != receipts_.end()) {
      const CellReceipt& r = receipt->second;
      cell["receipt"] = {{"tokens", r.tokens},
                         {"changes", r.changes},
                         {"norm_change", r.norm_change},
                         {"mean_norm_change", r.changes > 0 ? r.norm_change / r.changes : 0.0}};
    }
    cells.push_back(std::move(cell));
  }
  Json results = Json::array();
  for (const CellResult& result : results_) results.push_back(cell_json(result));
  Json json{{"task", inversion_ ? "inversion" : "reply"},
            {"rate_is", inversion_ ? "no of all answers" : "refused of judged replies"}};
  if (separation_) {
    json["applies"] = separation_->applies;
    json["reason"] = separation_->reason;
    json["left_out"] = left_out();
    json["auroc_of_answers"] = separation_->by_answer ? auroc_json(*separation_->by_answer) : Json();
    json["auroc_of_margin"] = separation_->by_margin ? auroc_json(*separation_->by_margin) : Json();
  }
  json["cells"] = std::move(cells);
  json["results"] = std::move(results);
  return json;
}

std::string SweepResults::to_csv() const {
  std::string csv =
      "sweep,cell,direction,op,coefficient,scope,layer,control,set,label,n,hits,judged,neither,"
      "rate,rate_low,rate_high,band_low,band_high,empty,looping,kl,margin,mcnemar_p,tokens,mean_norm_"
      "change\n";
  for (const CellResult& r : results_) {
    const Cell& cell = cells_[r.cell];
    const bool steered = !cell.is_baseline();
    const Intervention swept = steered ? cell.interventions.front() : Intervention{};
    const auto interval = has_rates() ? r.rate.interval() : std::nullopt;
    const auto rate = has_rates() ? r.rate.rate() : std::nullopt;
    const auto controls = has_rates() ? band(r.cell, r.set) : std::nullopt;
    const CellReceipt receipt = steered ? receipts_.at(r.cell) : CellReceipt{};
    csv += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},", csv_text(cell.sweep), csv_text(cell.name),
        csv_text(swept.direction), steered ? op_name(swept.op) : "",
        steered ? fmt::format("{:g}", swept.coefficient) : "", steered ? scope_name(swept.scope) : "",
        cell.layer() ? std::to_string(*cell.layer()) : "", swept.random ? std::to_string(*swept.random) : "",
        csv_text(r.set), r.label, r.n, r.rate.count, r.rate.n, neither(r));
    csv +=
        fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\n", csv_number(rate),
                    csv_number(interval ? std::optional(interval->low) : std::nullopt),
                    csv_number(interval ? std::optional(interval->high) : std::nullopt),
                    csv_number(controls ? std::optional(controls->low()) : std::nullopt),
                    csv_number(controls ? std::optional(controls->high()) : std::nullopt), r.empty, r.looping,
                    csv_number(r.kl ? std::optional(r.kl->value) : std::nullopt),
                    csv_number(r.margin ? std::optional(r.margin->value) : std::nullopt),
                    csv_number(steered ? std::optional(mcnemar_p(r.paired)) : std::nullopt), receipt.tokens,
                    csv_number(receipt.changes > 0 ? std::optional(receipt.norm_change / receipt.changes)
                                                   : std::nullopt));
  }
  return csv;
}

}  // namespace hrt
