#include <fmt/format.h>

#include <algorithm>

#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

Colour colour_of(std::size_t number) {
  constexpr std::array kColours{Colour::kVermillion, Colour::kGrey, Colour::kBlue, Colour::kGreen,
                                Colour::kPurple};
  return kColours[number % kColours.size()];
}

// The guard itself, the words' baseline in grey, other guards between them.
std::vector<std::string> guard_names(const Json& results) {
  std::vector<std::string> names;
  for (const Json& guard : results.at("guards")) names.push_back(guard.at("name").get<std::string>());
  return names;
}

Figure accuracy_figure(const RunFolder& run) {
  const std::vector<std::string> names = guard_names(run.results);
  Panel panel{.x = {.title = "accuracy, %", .from = 0, .to = 101}};
  std::vector<const Json*> cases;
  for (const Json& of_case : run.results.at("cases")) {
    if (of_case.at("outcome").is_null()) cases.push_back(&of_case);
  }
  for (std::size_t g = 0; g < names.size(); ++g) {
    Series series{names[g], Mark::kIntervals,
                  colour_of(names[g] == "n-grams" ? 1
                            : g == 0              ? 0
                                                  : g + 1),
                  names[g] == "n-grams"};
    for (std::size_t c = 0; c < cases.size(); ++c) {
      const Json accuracy = cases[c]->at("accuracy").value(names[g], Json::object());
      const double y =
          static_cast<double>(cases.size() - c) + 0.15 -
          0.3 * static_cast<double>(g) / static_cast<double>(std::max<std::size_t>(names.size() - 1, 1));
      if (const auto point = point_of(0, accuracy, 100))
        series.points.push_back({point->y, y, point->low, point->high});
    }
    panel.series.push_back(std::move(series));
  }
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const Json label = cases[c]->at("label");
    panel.y.ticks.emplace_back(static_cast<double>(cases.size() - c),
                               shown(cases[c]->at("case").get<std::string>()));
  }
  panel.y.from = 0.4;
  panel.y.to = static_cast<double>(cases.size()) + 0.6;
  Figure figure{.name = run.name(), .title = "Accuracy by case", .panels = {std::move(panel)}};
  figure.panel_height = 1.6 + 0.62 * static_cast<double>(cases.size());
  figure.caption =
      "Share of each case's prompts that are called what their label says, with 95 % Wilson intervals; n "
      "stands in the table.";
  return figure;
}

Figure roc_figure(RunFolder& run) {
  Panel panel{.x = {.title = "false alarms, % of harmless", .from = 0, .to = 100},
              .y = {.title = "found, % of harmful", .from = 0, .to = 102}};
  const std::vector<std::string> names = guard_names(run.results);
  std::vector<Series> curves;
  for (std::size_t g = 0; g < names.size(); ++g) {
    const auto auroc = run.results.at("guards")[g].value("auroc", Json());
    curves.push_back({fmt::format("{}: AUROC {}", names[g], decimal(auroc)), Mark::kOutline,
                      colour_of(names[g] == "n-grams" ? 1
                                : g == 0              ? 0
                                                      : g + 1),
                      names[g] == "n-grams"});
  }
  for (const Json& record : records(run, "roc.csv")) {
    const auto guard = std::ranges::find(names, record.value("guard", ""));
    if (guard == names.end()) continue;
    curves[static_cast<std::size_t>(guard - names.begin())].points.push_back(
        {csv_number(record, "false_positive_rate").value_or(0) * 100,
         csv_number(record, "true_positive_rate").value_or(0) * 100});
  }
  panel.series.push_back({"", Mark::kOutline, Colour::kGrey, true, {{0, 0}, {100, 100}}});
  for (Series& curve : curves) {
    if (!curve.points.empty()) panel.series.push_back(std::move(curve));
  }
  Figure figure{.name = run.name() + "_roc",
                .title = "What each guard finds, by its false alarms",
                .panels = {std::move(panel)},
                .panel_height = 6.2};
  figure.caption = fmt::format("ROC curves over all {} labelled prompts, cases pooled.",
                               plain_number(run.results.at("prompts")));
  return figure;
}

std::optional<Figure> reliability_figure(const RunFolder& run) {
  Panel panel{.x = {.title = "probability said", .from = 0, .to = 1},
              .y = {.title = "share harmful", .from = 0, .to = 1.03}};
  panel.series.push_back({"", Mark::kOutline, Colour::kGrey, true, {{0, 0}, {1, 1}}});
  std::size_t number = 0;
  for (const Json& guard : run.results.at("guards")) {
    if (!guard.contains("reliability") || !guard.at("reliability").is_object()) continue;
    Series line{guard.at("name").get<std::string>(), Mark::kLine, colour_of(number++)};
    for (const Json& bin : guard.at("reliability").at("bins")) {
      const auto x = number_of(bin.at("mean_probability"));
      if (!x) continue;
      if (const auto point = point_of(*x, bin.at("harmful"))) line.points.push_back(*point);
    }
    panel.series.push_back(std::move(line));
  }
  if (panel.series.size() == 1) return std::nullopt;
  Figure figure{.name = run.name() + "_reliability",
                .title = "Reliability",
                .panels = {std::move(panel)},
                .panel_height = 5.4};
  figure.caption =
      "The share of harmful prompts among those that were given a probability, by bins, with 95 % intervals.";
  return figure;
}

DataTable case_table(const Json& results) {
  const std::vector<std::string> names = guard_names(results);
  DataTable table{"Accuracy by case, % [95 %]", {"case", "label", "n"}};
  for (const std::string& name : names) table.columns.push_back(name);
  for (const Json& of_case : results.at("cases")) {
    const Json& outcome = of_case.at("outcome");
    std::string name = shown(of_case.at("case").get<std::string>());
    if (outcome.is_string()) name += ", " + outcome.get<std::string>();
    std::vector<std::string> cells{
        name, of_case.at("label").is_string() ? of_case.at("label").get<std::string>() : "both",
        plain_number(of_case.at("n"))};
    for (const std::string& guard : names)
      cells.push_back(percent(of_case.at("accuracy").value(guard, Json::object())));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string found_at(const Json& guard, double rate) {
  for (const Json& at : guard.value("tpr_at_fpr", Json::array())) {
    if (number_of(at.at("false_positive_rate")) != rate) continue;
    return at.at("true_positives").is_null() ? "- (" + at.value("reason", "") + ")"
                                             : percent(at.at("true_positives"));
  }
  return "-";
}

DataTable guard_table(const Json& results) {
  DataTable table{
      "Over all labelled prompts",
      {"guard", "n", "accuracy, %", "AUROC", "found at 1 % false alarms", "at 0.1 %", "unanswered"}};
  for (const Json& guard : results.at("guards"))
    table.rows.push_back({guard.at("name").get<std::string>(), count_of(guard.at("accuracy")),
                          percent(guard.at("accuracy")), decimal(guard.value("auroc", Json())),
                          found_at(guard, 0.01), found_at(guard, 0.001),
                          plain_number(guard.value("unanswered", Json(0)))});
  return table;
}

}  // namespace

std::vector<Block> guard_blocks(RunFolder& run) {
  std::vector<Block> blocks{accuracy_figure(run), case_table(run.results), roc_figure(run),
                            guard_table(run.results)};
  if (auto figure = reliability_figure(run)) blocks.emplace_back(std::move(*figure));
  const Json latency = run.results.value("latency", Json());
  if (latency.is_object() && latency.contains("ms_per_prompt") && latency.at("ms_per_prompt").is_number())
    blocks.push_back(
        Paragraph{fmt::format("{:.2f} ms a prompt (in batches, {} prompts, {}, {}).",
                              latency.at("ms_per_prompt").get<double>(), plain_number(latency.at("prompts")),
                              plain_number(latency.at("device")), plain_number(latency.at("dtype")))});
  return blocks;
}

}  // namespace hrt
