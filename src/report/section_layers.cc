#include <fmt/format.h>

#include "hrt/base/strings.h"
#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

std::string group_sizes(const Json& groups) {
  std::vector<std::string> sizes;
  for (const auto& [name, group] : groups.items()) sizes.push_back(sized(group.at("n"), name));
  return join(sizes, ", ");
}

Panel scores_panel(const std::string& position, const Json& of_position) {
  Panel panel{.title = "at " + position, .x = {.title = "row", .whole = true}, .y = {.title = "s"}};
  std::size_t number = 0;
  for (const auto& [name, group] : of_position.at("groups").items()) {
    Series line = group_series(name, number++, Mark::kLine);
    for (const Json& row : group.at("by_row")) {
      const auto mean = point_of(row.at("row").get<double>(), row.at("mean"));
      const auto spread = number_of(row.at("deviation"));
      if (!mean) continue;
      line.points.push_back({mean->x, mean->y, mean->y - spread.value_or(0), mean->y + spread.value_or(0)});
    }
    panel.series.push_back(std::move(line));
  }
  panel.references.push_back({0, ""});
  return panel;
}

Panel quality_panel(const std::string& position, const Json& of_position) {
  Panel panel{.title = "AUROC of s at " + position,
              .x = {.title = "row", .whole = true},
              .y = {.title = "AUROC", .from = 0, .to = 1.02}};
  struct Target {
    const char* key;
    const char* name;
    Colour colour;
  };
  for (const Target& target : {Target{"auroc_label", "harm", Colour::kVermillion},
                               Target{"auroc_outcome", "refusal", Colour::kBlue}}) {
    Series line{target.name, Mark::kLine, target.colour};
    for (const Json& row : of_position.at("quality")) {
      if (const auto point = point_of(row.at("row").get<double>(), row.at(target.key)))
        line.points.push_back(*point);
    }
    panel.series.push_back(std::move(line));
  }
  panel.references.push_back({0.5, "chance"});
  return panel;
}

DataTable scores_table(const std::string& position, const Json& of_position) {
  DataTable table{fmt::format("s at {}: mean [95 %], and % of the prompts above 0", position), {"row"}};
  std::vector<const Json*> groups;
  for (const auto& [name, group] : of_position.at("groups").items()) {
    table.columns.push_back(fmt::format("{} (n = {})", shown(name), group.at("n").get<std::int64_t>()));
    table.columns.push_back("above 0, %");
    groups.push_back(&group);
  }
  if (groups.empty()) return table;
  for (std::size_t r = 0; r < groups.front()->at("by_row").size(); ++r) {
    std::vector<std::string> cells{plain_row(groups.front()->at("by_row").at(r))};
    for (const Json* group : groups) {
      const Json& row = group->at("by_row").at(r);
      cells.push_back(decimal(row.at("mean")));
      cells.push_back(percent(row.at("above_0")));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

std::vector<Block> layers_blocks(RunFolder& run) {
  const Json& positions = run.results.at("positions");
  Figure scores{.name = run.name(), .title = "s by row", .panel_height = 5.4};
  Figure quality{.name = run.name() + "_quality", .title = "What s tells, by row", .panel_height = 4.6};
  std::string sizes;
  std::vector<Block> tables;
  for (const auto& [position, of_position] : positions.items()) {
    scores.panels.push_back(scores_panel(position, of_position));
    quality.panels.push_back(quality_panel(position, of_position));
    sizes = group_sizes(of_position.at("groups"));
    tables.push_back(scores_table(position, of_position));
  }
  scores.caption = fmt::format(
      "s = cos(h, centroid of refused harmful) - cos(h, centroid of accepted harmless), mean and spread (one "
      "standard "
      "deviation) by row. n: {}. Above 0 is nearer to refused harmful.",
      sizes);
  quality.caption = fmt::format(
      "How well s tells harmful from harmless, and refused from accepted prompts, with 95 % intervals. n: "
      "{}.",
      sizes);
  return {scores, quality, collapsed("Every row", std::move(tables))};
}

}  // namespace hrt
