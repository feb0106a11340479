#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "hrt/base/strings.h"
#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

struct Group {
  std::string name;
  std::vector<Point> points;  // delta_harmful, delta_refuse
};

std::vector<Group> read_groups(RunFolder& run) {
  std::vector<Group> groups;
  for (const auto& [name, of_group] : run.results.at("groups").items()) groups.push_back({name, {}});
  for (const Json& record : records(run, "beliefs.csv")) {
    const auto group = std::ranges::find(groups, record.value("group", ""), &Group::name);
    const auto harmful = csv_number(record, "delta_harmful");
    const auto refuse = csv_number(record, "delta_refuse");
    if (group != groups.end() && harmful && refuse) group->points.push_back({*harmful, *refuse});
  }
  return groups;
}

struct Span {
  double from;
  double to;
};

Span span_of(const std::vector<Group>& groups, double Point::*coordinate) {
  Span span{0, 0};
  for (const Group& group : groups) {
    for (const Point& point : group.points) {
      span.from = std::min(span.from, point.*coordinate);
      span.to = std::max(span.to, point.*coordinate);
    }
  }
  const double room = 0.06 * (span.to - span.from);
  return {span.from - room, span.to + room};
}

// A density of the group's values: a sum of Gaussians of Silverman's width, at 80 places; its height is 1 at
// most.
std::vector<Point> density(const Group& group, double Point::*coordinate, const Span& span) {
  constexpr int kPlaces = 80;
  const auto n = static_cast<double>(group.points.size());
  double mean = 0;
  double square = 0;
  for (const Point& point : group.points) mean += point.*coordinate / n;
  for (const Point& point : group.points) square += std::pow(point.*coordinate - mean, 2) / n;
  const double width = std::max(1.06 * std::sqrt(square) * std::pow(n, -0.2), (span.to - span.from) / 150);
  std::vector<Point> curve;
  double highest = 0;
  for (int i = 0; i <= kPlaces; ++i) {
    const double at = span.from + (span.to - span.from) * i / kPlaces;
    double sum = 0;
    for (const Point& point : group.points)
      sum += std::exp(-0.5 * std::pow((at - point.*coordinate) / width, 2));
    curve.push_back({at, sum});
    highest = std::max(highest, sum);
  }
  for (Point& point : curve) point.y /= highest > 0 ? highest : 1;
  return curve;
}

// The scatter of both beliefs, each group's density above and at its right.
Figure scatter(const RunFolder& run, const std::vector<Group>& groups) {
  const Span x = span_of(groups, &Point::x);
  const Span y = span_of(groups, &Point::y);
  Panel plane{.x = {.title = "Delta_harmful", .from = x.from, .to = x.to},
              .y = {.title = "Delta_refuse", .from = y.from, .to = y.to},
              .references = {{0, "", false}, {0, "", true}},
              .area = PlotArea{0.165, 0.13, 0.84, 0.84}};
  Panel above{
      .x = plane.x, .y = {.from = 0, .to = 1.05}, .bare = true, .area = PlotArea{0.165, 0.85, 0.84, 0.97}};
  Panel beside{
      .x = {.from = 0, .to = 1.05}, .y = plane.y, .bare = true, .area = PlotArea{0.85, 0.13, 0.97, 0.84}};
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Series points = group_series(groups[g].name, g, Mark::kPoints);
    points.points = groups[g].points;
    Series top{"", Mark::kArea, points.colour};
    Series right{"", Mark::kAreaLeft, points.colour};
    if (groups[g].points.size() > 1) {
      top.points = density(groups[g], &Point::x, x);
      for (const Point& point : density(groups[g], &Point::y, y)) right.points.push_back({point.y, point.x});
    }
    plane.series.push_back(std::move(points));
    above.series.push_back(std::move(top));
    beside.series.push_back(std::move(right));
  }
  Figure figure{.name = run.name(),
                .title = "The two beliefs of each prompt",
                .panels = {plane, above, beside},
                .panel_height = 7.6};
  std::vector<std::string> sizes;
  for (const Group& group : groups) sizes.push_back(sized(group.points.size(), group.name));
  const Json& over_all = run.results.at("over_all_prompts").at("all_rows");
  figure.caption = fmt::format(
      "A point a prompt: the belief of harmfulness at t_inst (Delta_harmful) and of refusal at t_post_inst "
      "(Delta_refuse), means over all rows. n: {}. Pearson's r of the two: {}.",
      join(sizes, ", "), decimal(over_all.at("pearson")));
  return figure;
}

Figure curves(const RunFolder& run) {
  Figure figure{.name = run.name() + "_by_row", .title = "Beliefs by row", .panel_height = 4.6};
  for (const char* belief : {"delta_harmful", "delta_refuse"}) {
    Panel panel{.title = belief == std::string("delta_harmful") ? "Delta_harmful" : "Delta_refuse",
                .x = {.title = "row", .whole = true},
                .y = {.title = "s"},
                .references = {{0, ""}}};
    std::size_t number = 0;
    for (const auto& [name, group] : run.results.at("groups").items()) {
      Series line = group_series(name, number++, Mark::kLine);
      if (group.contains(belief) && group.at(belief).contains("by_row")) {
        const Json& rows = run.results.at("rows");
        const Json& by_row = group.at(belief).at("by_row");  // empty where a centroid is missing
        for (std::size_t r = 0; r < by_row.size(); ++r) {
          if (const auto point = point_of(rows.at(r).get<double>(), by_row.at(r)))
            line.points.push_back(*point);
        }
      }
      panel.series.push_back(std::move(line));
    }
    figure.panels.push_back(std::move(panel));
  }
  figure.caption = "Means by row with 95 % intervals; the beliefs are the means of these over all rows.";
  return figure;
}

DataTable group_table(const Json& results) {
  DataTable table{"Beliefs by group (all rows): mean [95 %], and % above 0 [95 %]",
                  {"group", "n", "Delta_harmful", "above 0, %", "Delta_refuse", "above 0, %"}};
  for (const auto& [name, group] : results.at("groups").items()) {
    std::vector<std::string> cells{shown(name), fmt::format("{}", group.at("n").get<std::int64_t>())};
    for (const char* belief : {"delta_harmful", "delta_refuse"}) {
      const Json all = group.value(belief, Json::object()).value("all_rows", Json::object());
      cells.push_back(decimal(all.value("mean", Json())));
      cells.push_back(percent(all.value("above_0", Json())));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

DataTable agreement_table(const Json& over_all) {
  DataTable table{"Over all prompts [95 %]", {"", "n", "all rows", "without row 0"}};
  const auto row = [&](const char* name, const char* pointer) {
    const Json::json_pointer place(pointer);
    const Json all = over_all.at("all_rows").contains(place) ? over_all.at("all_rows").at(place) : Json();
    const Json rest =
        over_all.at("without_row_0").contains(place) ? over_all.at("without_row_0").at(place) : Json();
    table.rows.push_back({name, count_of(all), decimal(all), decimal(rest)});
  };
  row("Pearson's r of the two beliefs", "/pearson");
  row("Spearman's rho", "/spearman");
  row("AUROC: Delta_harmful for harm", "/auroc/delta_harmful_for_harm");
  row("AUROC: Delta_harmful for refusal", "/auroc/delta_harmful_for_refusal");
  row("AUROC: Delta_refuse for harm", "/auroc/delta_refuse_for_harm");
  row("AUROC: Delta_refuse for refusal", "/auroc/delta_refuse_for_refusal");
  return table;
}

}  // namespace

std::vector<Block> beliefs_blocks(RunFolder& run) {
  std::vector<Block> blocks;
  const std::vector<Group> groups = read_groups(run);
  const bool both = std::ranges::any_of(groups, [](const Group& group) { return !group.points.empty(); });
  if (both) blocks.push_back(scatter(run, groups));
  blocks.push_back(group_table(run.results));
  blocks.push_back(curves(run));
  blocks.push_back(agreement_table(run.results.at("over_all_prompts")));
  return blocks;
}

}  // namespace hrt
