#include <fmt/format.h>

#include "hrt/base/strings.h"
#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

struct Place {
  std::string name;
  const Json* found;
};

std::vector<Place> read_places(const Json& results) {
  std::vector<Place> places;
  for (const auto& [name, found] : results.at("positions").items()) {
    if (!found.contains("missing")) places.push_back({name, &found});
  }
  return places;
}

Axis position_axis(const std::vector<Place>& places) {
  Axis axis;
  for (std::size_t i = 0; i < places.size(); ++i)
    axis.ticks.emplace_back(static_cast<double>(i), places[i].name);
  return axis;
}

Panel scores_panel(const std::vector<Place>& places) {
  Panel panel{
      .title = "s, mean over rows", .x = position_axis(places), .y = {.title = "s"}, .references = {{0, ""}}};
  std::size_t number = 0;
  for (const auto& [group, unused] : places.front().found->at("groups").items()) {
    Series line = group_series(group, number++, Mark::kLine);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Json& groups = places[i].found->at("groups");
      if (!groups.contains(group)) continue;
      if (const auto point = point_of(static_cast<double>(i), groups.at(group).at("mean")))
        line.points.push_back(*point);
    }
    panel.series.push_back(std::move(line));
  }
  return panel;
}

Panel quality_panel(const std::vector<Place>& places) {
  Panel panel{.title = "AUROC of s",
              .x = position_axis(places),
              .y = {.title = "AUROC", .from = 0, .to = 1.02},
              .references = {{0.5, "chance"}}};
  Series harm{"for harm", Mark::kLine, Colour::kPurple};
  Series refusal{"for refusal", Mark::kLine, Colour::kGreen};
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (const auto point = point_of(static_cast<double>(i), places[i].found->value("auroc_label", Json())))
      harm.points.push_back(*point);
    if (const auto point = point_of(static_cast<double>(i), places[i].found->value("auroc_outcome", Json())))
      refusal.points.push_back(*point);
  }
  panel.series = {std::move(harm), std::move(refusal)};
  return panel;
}

DataTable positions_table(const std::vector<Place>& places) {
  DataTable table{"By position: the commonest token, and % above 0 [95 %]",
                  {"position", "token", "AUROC for harm", "AUROC for refusal"}};
  for (const auto& [group, found] : places.front().found->at("groups").items())
    table.columns.push_back(fmt::format("{} (n = {})", shown(group), count_of(found.at("mean"))));
  for (const Place& place : places) {
    const Json token = place.found->value("token", Json::object());
    const std::string same_as = text_at(*place.found, "/same_as");
    std::vector<std::string> cells{
        same_as.empty() ? place.name : fmt::format("{} (the same token as {})", place.name, same_as),
        token.contains("text") ? fmt::format("\"{}\" in {} of {}", token.at("text").get<std::string>(),
                                             plain_number(token.at("prompts")), plain_number(token.at("of")))
                               : "-",
        decimal(place.found->value("auroc_label", Json())),
        decimal(place.found->value("auroc_outcome", Json()))};
    for (const auto& [group, found] : place.found->at("groups").items())
      cells.push_back(percent(found.at("above_0")));
    cells.resize(table.columns.size(), "-");
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

std::vector<Block> positions_blocks(RunFolder& run) {
  const std::vector<Place> places = read_places(run.results);
  if (places.empty()) return {Paragraph{"No position was found in these prompts.", true}};
  Figure figure{.name = run.name(), .title = "The score by position", .panel_height = 5.2};
  figure.panels = {scores_panel(places), quality_panel(places)};
  std::vector<std::string> sizes;
  for (const auto& [group, found] : places.front().found->at("groups").items())
    sizes.push_back(sized(count_of(found.at("mean")), group));
  figure.caption = fmt::format(
      "s at each position, by centroids of that position, mean over rows with 95 % intervals; below: what it "
      "tells. n: {}.",
      join(sizes, ", "));
  return {figure, positions_table(places)};
}

}  // namespace hrt
