#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "layout.h"
#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

// Panels of one title have one scale, so that their groups can be compared.
void share_scales(std::vector<Panel>& panels) {
  std::map<std::string, Range> scales;
  for (const Panel& panel : panels) {
    const Range own = y_range(panel);
    Range& scale = scales.try_emplace(panel.title, own).first->second;
    scale = {std::min(scale.from, own.from), std::max(scale.to, own.to)};
  }
  for (Panel& panel : panels) {
    panel.y.from = scales.at(panel.title).from;
    panel.y.to = scales.at(panel.title).to;
  }
}

// Each variant's curve by row, of each belief and group, by its own centroids.
Figure curves(RunFolder& run) {
  Figure figure{
      .name = run.name(), .title = "Beliefs by row, in each variant", .columns = 2, .panel_height = 4.2};
  std::map<std::string, std::size_t> panels;
  std::vector<std::string> variants;
  for (const auto& [variant, unused] : run.results.at("variants").items()) variants.push_back(variant);
  for (const Json& record : records(run, "curves.csv")) {
    const std::string belief = record.value("belief", "");
    const std::string group = record.value("group", "");
    const std::string variant = record.value("variant", "");
    const auto [panel, added] = panels.try_emplace(belief + group, figure.panels.size());
    if (added)
      figure.panels.push_back({.title = belief == "delta_harmful" ? "Delta_harmful" : "Delta_refuse",
                               .subtitle = shown(group),
                               .x = {.title = "row", .whole = true},
                               .y = {.title = ""},
                               .references = {{0, ""}}});
    std::vector<Series>& series = figure.panels[panel->second].series;
    if (series.empty()) {
      for (std::size_t v = 0; v < variants.size(); ++v)
        series.push_back(group_series(variants[v], v, Mark::kLine));
    }
    for (std::size_t v = 0; v < variants.size(); ++v) {
      if (variants[v] == variant && record.value("mean", Json()).is_string())
        series[v].points.push_back(
            {csv_number(record, "row").value_or(0), csv_number(record, "mean").value_or(0),
             csv_number(record, "low").value_or(0), csv_number(record, "high").value_or(0)});
    }
  }
  share_scales(figure.panels);
  figure.caption = "s by row with 95 % intervals, each variant by its own centroids.";
  return figure;
}

DataTable change_table(const Json& variants) {
  DataTable table{
      "Means [95 %], and the change from the first variant on the same prompts",
      {"belief", "group", "variant", "n", "own centroids", "change", "first's centroids", "change"}};
  for (const auto& [variant, beliefs] : variants.items()) {
    for (const auto& [belief, groups] : beliefs.items()) {
      if (!groups.is_object()) continue;
      for (const auto& [group, found] : groups.items()) {
        const Json own = found.value("own_centroids", Json::object());
        const Json first = found.value("first_centroids", Json::object());
        const auto part = [](const Json& whole, const char* key) {
          return whole.is_object() ? whole.value(key, Json()) : Json();
        };
        table.rows.push_back({belief == "delta_harmful" ? "Delta_harmful" : "Delta_refuse", shown(group),
                              variant, count_of(part(own, "mean")), decimal(part(own, "mean")),
                              decimal(part(own, "change")), decimal(part(first, "mean")),
                              decimal(part(first, "change"))});
      }
    }
  }
  return table;
}

// The centroids that the two beliefs are measured against, and below how many prompts one says little.
constexpr const char* kCentroids[] = {"harmful", "harmless", "refused_harmful", "accepted_harmless"};
constexpr std::int64_t kFew = 10;

DataTable centroid_table(RunFolder& run) {
  DataTable table{"Prompts of each variant's own centroids", {"variant"}};
  for (const char* centroid : kCentroids) table.columns.push_back(shown(centroid));
  for (const auto& [variant, source] : run.results.at("source").items()) {
    std::vector<std::string> cells{variant};
    for (const char* centroid : kCentroids) {
      const std::int64_t n = source.at("centroid_prompts").at(centroid).get<std::int64_t>();
      cells.push_back(fmt::format("{}", n));
      if (n > 0 && n < kFew) {
        run.remarks.push_back(fmt::format(
            "{}: the centroid of {} rests on {} of its prompts; what is measured against it says little.",
            variant, shown(centroid), n));
      }
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

std::vector<Block> compare_blocks(RunFolder& run) {
  return {curves(run), centroid_table(run), change_table(run.results.at("variants"))};
}

}  // namespace hrt
