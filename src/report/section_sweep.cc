#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "hrt/base/strings.h"
#include "numbers.h"
#include "sections.h"
#include "sweep_cells.h"

namespace hrt {
namespace {

bool by_layer(const SweepCells& sweep) {
  std::set<double> layers;
  for (const SweptCell& cell : sweep.steered) {
    if (cell.layer) layers.insert(*cell.layer);
  }
  return layers.size() > 1;
}

std::string rate_title(const Json& results) {
  return results.value("task", "reply") == "inversion" ? "\"No\", %" : "refused, %";
}

constexpr const char* kRandom = "random vectors of the same norm";

// Cells of one sweep at one scope, over layers: a panel.
struct Strip {
  std::string sweep;
  std::string scope;
  std::vector<SweptCell> cells = {};
};

std::vector<Strip> read_strips(const SweepCells& sweep) {
  std::vector<Strip> strips;
  for (const SweptCell& cell : sweep.steered) {
    if (!cell.layer || !number_at(cell.rate(), "/value")) continue;
    const auto known = std::ranges::find_if(
        strips, [&](const Strip& strip) { return strip.sweep == cell.sweep && strip.scope == cell.scope; });
    Strip& strip = known == strips.end() ? strips.emplace_back(cell.sweep, cell.scope) : *known;
    strip.cells.push_back(cell);
  }
  return strips;
}

// What tells a line from the others of its panel.
std::string line_name(const SweptCell& cell) {
  return fmt::format("c = {}, {}", cell.coefficient.value_or(1), shown(cell.set));
}

// At each layer the lowest and the highest rate of the random controls of all lines.
Series control_band(const Strip& strip) {
  std::map<double, Point> widest;
  for (const SweptCell& cell : strip.cells) {
    const auto low = number_at(*cell.json, "/control_band/lowest/value");
    const auto high = number_at(*cell.json, "/control_band/highest/value");
    if (!low || !high) continue;
    Point& point =
        widest.try_emplace(*cell.layer, *cell.layer, *low * 100, *low * 100, *high * 100).first->second;
    point.low = std::min(*point.low, *low * 100);
    point.high = std::max(*point.high, *high * 100);
  }
  Series band{kRandom, Mark::kBand, Colour::kGrey};
  for (const auto& [layer, point] : widest) band.points.push_back(point);
  return band;
}

std::vector<Series> strip_lines(const Strip& strip) {
  std::vector<std::pair<std::string, Series>> lines;
  for (const SweptCell& cell : strip.cells) {
    const std::string name = line_name(cell);
    auto line = std::ranges::find(lines, name, &std::pair<std::string, Series>::first);
    if (line == lines.end())
      line = lines.emplace(lines.end(), name, group_series(name, lines.size(), Mark::kLine));
    line->second.points.push_back(*point_of(*cell.layer, cell.rate(), 100));
  }
  if (lines.size() == 1) lines.front().second.name = "steered";
  std::vector<Series> series;
  for (auto& [name, line] : lines) series.push_back(std::move(line));
  return series;
}

Panel strip_panel(const Strip& strip, const SweepCells& sweep, const Json& results) {
  Panel panel{.title = strip.sweep,
              .subtitle = shown(strip.scope),
              .x = {.title = "layer", .whole = true},
              .y = {.title = rate_title(results), .from = 0, .to = 102}};
  Series band = control_band(strip);
  if (!band.points.empty()) panel.series.push_back(std::move(band));
  std::ranges::move(strip_lines(strip), std::back_inserter(panel.series));
  for (const SweptCell& cell : sweep.baseline) {
    const auto value = number_at(cell.rate(), "/value");
    const bool steered =
        std::ranges::any_of(strip.cells, [&](const SweptCell& o) { return o.set == cell.set; });
    if (value && steered) panel.references.push_back({*value * 100, ""});
  }
  return panel;
}

// "120 prompts (accepted harmless); 120 prompts (refused harmful)"
std::string sizes_of(const std::vector<SweptCell>& cells) {
  std::set<std::string> sizes;
  for (const SweptCell& cell : cells)
    sizes.insert(fmt::format("{} prompts ({})", count_of(cell.rate()), shown(cell.set)));
  return join({sizes.begin(), sizes.end()}, "; ");
}

// Many sweeps, as over categories: a row each, a column a layer.
Figure strip_heat(const RunFolder& run, const std::vector<Strip>& strips) {
  HeatMap heat{.from = 0, .to = 100, .digits = 0};
  std::set<double> layers;
  for (const Strip& strip : strips) {
    for (const SweptCell& cell : strip.cells) layers.insert(*cell.layer);
  }
  for (const double layer : layers) heat.columns.push_back(fmt::format("{:.0f}", layer));
  std::string prefix = strips.front().sweep;
  for (const Strip& strip : strips)
    prefix.resize(static_cast<std::size_t>(std::ranges::mismatch(prefix, strip.sweep).in1 - prefix.begin()));
  std::vector<SweptCell> all;
  for (const Strip& strip : strips) {
    heat.rows.push_back(strip.sweep.substr(prefix.size()));
    std::vector<std::optional<double>> row(layers.size());
    for (const SweptCell& cell : strip.cells) {
      const auto column = std::distance(layers.begin(), layers.find(*cell.layer));
      row[static_cast<std::size_t>(column)] = *number_at(cell.rate(), "/value") * 100;
      all.push_back(cell);
    }
    heat.values.push_back(std::move(row));
  }
  Figure figure{.name = run.name(), .title = fmt::format("{}, by layer", rate_title(run.results))};
  figure.panels.push_back({.title = prefix,
                           .subtitle = shown(strips.front().scope),
                           .x = {.title = "layer"},
                           .heat = std::move(heat)});
  figure.panel_height = 2.4 + 0.5 * static_cast<double>(strips.size());
  figure.caption =
      fmt::format("Each cell's rate in %; n of a row: {}. Intervals and random controls stand in the table.",
                  sizes_of(all));
  return figure;
}

Figure layer_figure(const RunFolder& run, const SweepCells& sweep) {
  const std::vector<Strip> strips = read_strips(sweep);
  if (strips.size() > 8) return strip_heat(run, strips);
  Figure figure{.name = run.name(), .title = "Steered, layer by layer"};
  std::vector<SweptCell> all;
  for (const Strip& strip : strips) {
    figure.panels.push_back(strip_panel(strip, sweep, run.results));
    all.insert(all.end(), strip.cells.begin(), strip.cells.end());
  }
  figure.columns = figure.panels.size() > 1 ? 2 : 1;
  figure.panel_height = figure.columns > 1 ? 4.4 : 5.2;
  figure.caption = fmt::format(
      "n of a cell: {}. Line: the rate with its 95 % Wilson interval; grey: lowest to highest rate of the "
      "random "
      "controls; dotted: the same prompts unsteered.",
      sizes_of(all));
  return figure;
}

std::string cell_label(const SweptCell& cell, bool with_set) {
  std::string label = cell.sweep.empty() && cell.scope.empty() ? "unsteered" : cell.sweep;
  if (!cell.scope.empty()) label += (label.empty() ? "" : ", ") + shown(cell.scope);
  return with_set ? shown(cell.set) + (label.empty() ? "" : ": ") + label : label;
}

// Few cells: a row each, with its control band.
Figure cell_figure(const RunFolder& run, const SweepCells& sweep) {
  std::vector<SweptCell> all = sweep.baseline;
  all.insert(all.end(), sweep.steered.begin(), sweep.steered.end());
  Panel panel{.x = {.title = rate_title(run.results), .from = 0, .to = 100}};
  Series rates{"rate", Mark::kIntervals, Colour::kBlue};
  Series controls{kRandom, Mark::kIntervals, Colour::kGrey, true};
  std::set<std::string> sets;
  for (const SweptCell& cell : all) sets.insert(cell.set);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double y = static_cast<double>(all.size() - i);
    const std::string label = sweep.steered.empty() ? shown(all[i].set) : cell_label(all[i], sets.size() > 1);
    panel.y.ticks.emplace_back(y, label);
    if (const auto rate = point_of(0, all[i].rate(), 100))
      rates.points.push_back({rate->y, y, rate->low, rate->high});
    const auto low = number_at(*all[i].json, "/control_band/lowest/value");
    const auto high = number_at(*all[i].json, "/control_band/highest/value");
    if (low && high) controls.points.push_back({(*low + *high) * 50, y - 0.25, *low * 100, *high * 100});
  }
  panel.y.from = 0.4;
  panel.y.to = static_cast<double>(all.size()) + 0.6;
  panel.series.push_back(std::move(rates));
  if (!controls.points.empty()) panel.series.push_back(std::move(controls));
  Figure figure{.name = run.name(), .title = "Rates", .panels = {std::move(panel)}};
  figure.panel_height = 1.6 + 0.55 * static_cast<double>(all.size());
  figure.caption = fmt::format("{} of each cell's prompts with 95 % Wilson intervals; n stands in the table.",
                               run.results.value("task", "reply") == "inversion" ? "\"No\"" : "Refusals");
  return figure;
}

std::string band_text(const Json& result) {
  const auto low = number_at(result, "/control_band/lowest/value");
  const auto high = number_at(result, "/control_band/highest/value");
  return low && high ? fmt::format("{:.0f} to {:.0f}", *low * 100, *high * 100) : "-";
}

std::string compact(const std::optional<double>& value) {
  return value ? fmt::format("{:.2g}", *value) : "-";
}

std::vector<std::string> table_row(const SweptCell& cell) {
  const Json& result = *cell.json;
  return {cell_label(cell, false),
          cell.layer ? fmt::format("{:.0f}", *cell.layer) : "-",
          shown(cell.set),
          fmt::format("{}", result.value("n", 0)),
          percent(cell.rate()),
          band_text(result),
          compact(number_at(result, "/changed/mcnemar_p")),
          compact(number_at(result, "/kl/value")),
          fmt::format("{}", result.value("empty", 0) + result.value("looping", 0))};
}

DataTable cell_table(const std::string& caption, const std::vector<SweptCell>& cells, const Json& results) {
  DataTable table{caption,
                  {"cell", "layer", "prompts", "n", rate_title(results) + " [95 %]", "random, %", "McNemar p",
                   "KL", "degenerate"}};
  for (const SweptCell& cell : cells) table.rows.push_back(table_row(cell));
  return table;
}

// Of each line over layers, where it reaches highest and lowest.
std::vector<SweptCell> extremes(const SweepCells& sweep) {
  std::map<std::string, std::vector<SweptCell>> lines;
  for (const SweptCell& cell : sweep.steered) {
    if (number_at(cell.rate(), "/value")) lines[cell.sweep + cell.scope + line_name(cell)].push_back(cell);
  }
  std::vector<SweptCell> found;
  const auto value = [](const SweptCell& cell) { return *number_at(cell.rate(), "/value"); };
  for (const auto& [key, line] : lines) {
    const auto [lowest, highest] = std::ranges::minmax_element(line, {}, value);
    found.push_back(*highest);
    if (lowest != highest) found.push_back(*lowest);
  }
  return found;
}

std::vector<Block> not_applicable(const Json& results, const SweepCells& sweep) {
  return {Paragraph{fmt::format("Not applicable: {}.",
                                results.value("reason", "the unsteered answers do not separate")),
                    true},
          cell_table("Unsteered answers", sweep.baseline, results)};
}

}  // namespace

std::vector<Block> sweep_blocks(RunFolder& run) {
  const Json& results = run.results;
  const SweepCells sweep = read_sweep(results);
  if (!results.value("applies", true)) return not_applicable(results, sweep);
  std::vector<Block> blocks;
  const bool layers = by_layer(sweep);
  if (results.contains("auroc_of_answers"))
    blocks.push_back(Paragraph{
        fmt::format("The unsteered answers tell harmful from harmless prompts: AUROC {} (n = {}).",
                    decimal(results.at("auroc_of_answers")), count_of(results.at("auroc_of_answers")))});
  blocks.push_back(layers ? layer_figure(run, sweep) : cell_figure(run, sweep));
  blocks.push_back(cell_table("Unsteered", sweep.baseline, results));
  if (layers) {
    blocks.push_back(cell_table("Where each line is highest and lowest (picked after the fact)",
                                extremes(sweep), results));
    blocks.push_back(collapsed("All cells", {cell_table("", sweep.steered, results)}));
  } else if (!sweep.steered.empty()) {
    blocks.push_back(cell_table("Steered", sweep.steered, results));
  }
  return blocks;
}

}  // namespace hrt
