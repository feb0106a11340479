#include "sweep_figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "hrt/base/strings.h"
#include "numbers.h"

namespace hrt {
namespace {

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

// Answers of an inversion that are neither yes nor no, where there are any: fewer "No" are then not more
// "Yes".
Series neither_line(const Strip& strip) {
  Series line{"neither yes nor no", Mark::kLine, Colour::kPurple, true};
  double most = 0;
  for (const SweptCell& cell : strip.cells) {
    const auto share = neither_of(cell);
    if (!share) continue;
    line.points.push_back({*cell.layer, *share});
    most = std::max(most, *share);
  }
  if (most == 0) line.points.clear();
  return line;
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
  if (lines.size() == 1) {
    lines.front().second.name = "steered";
    if (Series neither = neither_line(strip); !neither.points.empty())
      lines.emplace_back(neither.name, std::move(neither));
  }
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
  const std::string title = prefix.substr(0, prefix.find_last_not_of(" :") + 1);
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
  figure.panels.push_back({.title = title,
                           .subtitle = shown(strips.front().scope),
                           .x = {.title = "layer"},
                           .heat = std::move(heat)});
  figure.panel_height = 2.4 + 0.5 * static_cast<double>(strips.size());
  figure.caption =
      fmt::format("Each cell's rate in %; n of a row: {}. Intervals and random controls stand in the table.",
                  sizes_of(all));
  return figure;
}

}  // namespace

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

Figure cell_figure(const RunFolder& run, const SweepCells& sweep) {
  std::vector<SweptCell> all = sweep.baseline;
  all.insert(all.end(), sweep.steered.begin(), sweep.steered.end());
  Panel panel{.x = {.title = rate_title(run.results), .from = 0, .to = 100}};
  Series rates{"rate", Mark::kIntervals, Colour::kBlue};
  Series controls{kRandom, Mark::kIntervals, Colour::kGrey, true};
  std::set<std::string> sets;
  for (const SweptCell& cell : all) sets.insert(cell.set);
  std::set<std::string> labels;
  for (const SweptCell& cell : sweep.steered) labels.insert(cell_label(cell));
  if (labels.size() == 1) panel.title = *labels.begin();
  const auto label_of = [&](const SweptCell& cell) {
    if (sweep.steered.empty()) return shown(cell.set);
    const bool steered = !cell.scope.empty();
    const std::string label = steered && labels.size() == 1 ? "steered" : cell_label(cell);
    return sets.size() > 1 ? shown(cell.set) + ": " + label : label;
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double y = static_cast<double>(all.size() - i);
    panel.y.ticks.emplace_back(y, label_of(all[i]));
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
                               is_inversion(run.results) ? "\"No\"" : "Refusals");
  return figure;
}

}  // namespace hrt
