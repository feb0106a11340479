#include "eval_report.h"

#include <fmt/format.h>

#include "hrt/base/csv.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/interval_json.h"

namespace hrt {
namespace {

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }
Json or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }

Json confusion_json(const GuardMetrics& metrics) {
  return {{"harmful_called_harmful", metrics.found.count},
          {"harmful_called_harmless", metrics.found.n - metrics.found.count},
          {"harmless_called_harmful", metrics.false_alarms.count},
          {"harmless_called_harmless", metrics.false_alarms.n - metrics.false_alarms.count}};
}

Json rate_json(double rate, const TprAtFpr& found) {
  if (!found.point)
    return {{"false_positive_rate", rate}, {"true_positives", nullptr}, {"reason", found.reason}};
  return {{"false_positive_rate", rate},
          {"threshold", found.point->threshold},
          {"true_positives", proportion_json(found.point->true_positives)},
          {"false_positives", proportion_json(found.point->false_positives)}};
}

Json reliability_json(const GuardMetrics& metrics) {
  if (metrics.bins.empty()) return nullptr;
  Json bins = Json::array();
  for (const ReliabilityBin& bin : metrics.bins) {
    bins.push_back({{"above", bin.range.low},
                    {"up_to", bin.range.high},
                    {"mean_probability", bin.mean_probability},
                    {"harmful", proportion_json(bin.positives)}});
  }
  return {{"bins", bins},
          {"calibration_error", or_null(metrics.calibration_error)},
          {"brier", or_null(metrics.brier)}};
}

Json guard_json(const GuardAnswers& answers, const GuardMetrics& metrics) {
  Json json{{"name", answers.name},
            {"accuracy", proportion_json(metrics.accuracy)},
            {"unanswered", metrics.unanswered},
            {"confusion", confusion_json(metrics)},
            {"auroc", metrics.auroc ? auroc_json(*metrics.auroc) : Json()},
            {"tpr_at_fpr", Json::array()},
            {"reliability", reliability_json(metrics)}};
  for (const auto& [rate, found] : metrics.at_rates) json["tpr_at_fpr"].push_back(rate_json(rate, found));
  return json;
}

// "91.6 % [85, 96]"
std::string percent(const Proportion& share) {
  if (share.n == 0) return "-";
  return fmt::format("{:.1f} % [{:.0f}, {:.0f}]", 100 * *share.rate(), 100 * share.interval()->low,
                     100 * share.interval()->high);
}

std::string area(const std::optional<Auroc>& auroc) {
  if (!auroc) return "-";
  return fmt::format("{:.3f} [{:.2f}, {:.2f}]", auroc->value, auroc->interval.low, auroc->interval.high);
}

std::string found_at(const GuardMetrics& metrics, std::size_t rate) {
  if (metrics.at_rates.empty() || !metrics.at_rates[rate].second.point) return "-";
  return percent(metrics.at_rates[rate].second.point->true_positives);
}

std::string_view outcome_text(const GuardCase& guard_case) {
  return guard_case.outcome == Outcome::kUnknown ? "" : outcome_name(guard_case.outcome);
}

// An outcome that all of a case have tells nothing more.
bool is_shown(const GuardCase& part, const GuardCase& all) {
  return part.outcome == Outcome::kUnknown || part.prompts.size() < all.prompts.size();
}

}  // namespace

EvalReport::EvalReport(const std::vector<ProbePrompt>& prompts, const std::vector<GuardAnswers>& guards,
                       const std::vector<std::string>& case_by)
    : prompts_(prompts), guards_(guards), cases_(find_cases(prompts, case_by)) {
  for (const GuardAnswers& guard : guards) metrics_.push_back(measure_guard(prompts, guard));
}

Json EvalReport::to_json() const {
  Json json{{"prompts", prompts_.size()}, {"guards", Json::array()}, {"cases", Json::array()}};
  for (std::size_t g = 0; g < guards_.size(); ++g)
    json["guards"].push_back(guard_json(guards_[g], metrics_[g]));
  for (const GuardCase& part : cases_) {
    Json entry{{"case", part.name},
               {"outcome", or_null(outcome_text(part))},
               {"label", or_null(label_name(part.label))},
               {"n", part.prompts.size()},
               {"accuracy", Json::object()}};
    for (const GuardAnswers& guard : guards_)
      entry["accuracy"][guard.name] = proportion_json(accuracy_on(prompts_, part.prompts, guard));
    json["cases"].push_back(entry);
  }
  return json;
}

std::map<std::string, std::string> EvalReport::tables() const {
  return {{"guard.csv", guard_csv()}, {"roc.csv", roc_csv()}, {"scores.csv", scores_csv()}};
}

std::string EvalReport::guard_csv() const {
  Csv csv({"case", "outcome", "label", "guard", "correct", "n", "accuracy", "low", "high"});
  for (const GuardCase& part : cases_) {
    for (const GuardAnswers& guard : guards_) {
      const Proportion share = accuracy_on(prompts_, part.prompts, guard);
      const auto interval = share.interval();
      csv.row({part.name, outcome_text(part), label_name(part.label), guard.name, share.count, share.n,
               share.rate(), interval ? std::optional(interval->low) : std::nullopt,
               interval ? std::optional(interval->high) : std::nullopt});
    }
  }
  return csv.text();
}

std::string EvalReport::roc_csv() const {
  Csv csv({"guard", "threshold", "false_positive_rate", "true_positive_rate"});
  for (std::size_t g = 0; g < guards_.size(); ++g) {
    for (const RocPoint& point : metrics_[g].roc)
      csv.row({guards_[g].name, point.threshold, point.false_positive_rate, point.true_positive_rate});
  }
  return csv.text();
}

std::string EvalReport::scores_csv() const {
  std::vector<std::string> cases(prompts_.size());
  for (const GuardCase& part : cases_) {
    for (const std::size_t prompt : part.prompts) cases[prompt] = part.name;
  }
  Csv csv({"id", "case", "label", "outcome", "guard", "verdict", "score", "probability"});
  for (std::size_t i = 0; i < prompts_.size(); ++i) {
    const ProbePrompt& prompt = prompts_[i];
    for (const GuardAnswers& guard : guards_) {
      const std::string_view verdict = guard.harmful[i] ? verdict_name(*guard.harmful[i]) : "";
      csv.row({prompt.id, cases[i], label_name(prompt.label), outcome_name(prompt.outcome), guard.name,
               verdict, guard.scores[i], guard.probabilities[i]});
    }
  }
  return csv.text();
}

std::string EvalReport::page() const {
  std::string page = "\n" + page_table().text();
  for (const auto& [rate, found] : metrics_.front().at_rates) {
    if (!found.point) page += fmt::format("\nAt {:g} % FPR: {}", 100 * rate, found.reason);
  }
  const GuardMetrics& own = metrics_.front();
  if (own.calibration_error)
    page += fmt::format("\nCalibration error {:.3f}, Brier score {:.3f}", *own.calibration_error, *own.brier);
  return page + "\n";
}

Table EvalReport::page_table() const {
  using enum Table::Align;
  std::vector<Table::Column> columns{{"accuracy"}, {"label"}, {"n", kRight}};
  for (const GuardAnswers& guard : guards_) columns.push_back({guard.name, kRight, 20});
  Table table(columns, kNoWidth);
  add_cases(table);
  const auto add = [&](const std::string& what, const auto& cell_of) {
    std::vector<std::string> cells{what, "", ""};
    for (const GuardMetrics& metrics : metrics_) cells.push_back(cell_of(metrics));
    table.add(cells);
  };
  add("all", [](const GuardMetrics& m) { return percent(m.accuracy); });
  add("harmful found", [](const GuardMetrics& m) { return percent(m.found); });
  add("false alarms", [](const GuardMetrics& m) { return percent(m.false_alarms); });
  add("AUROC", [](const GuardMetrics& m) { return area(m.auroc); });
  for (std::size_t r = 0; r < metrics_.front().at_rates.size(); ++r) {
    const double rate = 100 * metrics_.front().at_rates[r].first;
    add(fmt::format("found at {:g} % FPR", rate), [r](const GuardMetrics& m) { return found_at(m, r); });
  }
  return table;
}

void EvalReport::add_cases(Table& table) const {
  const GuardCase* all = nullptr;
  for (const GuardCase& part : cases_) {
    const bool whole = part.outcome == Outcome::kUnknown;
    if (whole) all = &part;
    if (!is_shown(part, *all)) continue;
    const std::string name = whole ? part.name : fmt::format("  {}", outcome_text(part));
    std::vector<std::string> cells{name, std::string(label_name(part.label)),
                                   std::to_string(part.prompts.size())};
    for (const GuardAnswers& guard : guards_)
      cells.push_back(percent(accuracy_on(prompts_, part.prompts, guard)));
    table.add(cells);
  }
}

}  // namespace hrt
