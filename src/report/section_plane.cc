#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "hrt/base/strings.h"
#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

std::vector<Point> outline(double x, double y, const Json& ellipse) {
  const double major = ellipse.at("major").get<double>();
  const double minor = ellipse.at("minor").get<double>();
  const double angle = ellipse.at("angle").get<double>();
  std::vector<Point> points;
  for (int i = 0; i <= 60; ++i) {
    const double t = 2 * std::numbers::pi * i / 60;
    points.push_back({x + major * std::cos(t) * std::cos(angle) - minor * std::sin(t) * std::sin(angle),
                      y + major * std::cos(t) * std::sin(angle) + minor * std::sin(t) * std::cos(angle)});
  }
  return points;
}

Figure plane_figure(const RunFolder& run) {
  Panel panel{.x = {.title = "Delta_harmful"},
              .y = {.title = "Delta_refuse"},
              .references = {{0, "", false}, {0, "", true}}};
  std::vector<std::string> sizes;
  std::size_t number = 0;
  for (const auto& [name, group] : run.results.at("groups").items()) {
    const auto x = number_of(group.at("delta_harmful"));
    const auto y = number_of(group.at("delta_refuse"));
    Series centre = group_series(name, number++, Mark::kPoints);
    if (!x || !y) continue;
    centre.points = {{*x, *y}};
    if (group.contains("ellipse") && group.at("ellipse").is_object())
      panel.series.push_back(
          {"", Mark::kOutline, centre.colour, centre.dashed, outline(*x, *y, group.at("ellipse"))});
    panel.series.push_back(std::move(centre));
    sizes.push_back(sized(group.at("n"), name));
  }
  Figure figure{.name = run.name(),
                .title = "Groups in the plane of the two beliefs",
                .panels = {std::move(panel)},
                .panel_height = 6.4};
  figure.caption = fmt::format("Each group's centre with the 95 % bootstrap ellipse of the centre. n: {}.",
                               join(sizes, ", "));
  return figure;
}

Figure cosine_figure(const RunFolder& run) {
  Panel panel{
      .x = {.title = "row", .whole = true}, .y = {.title = "cosine of v_h and v_r"}, .references = {{0, ""}}};
  Series line{"", Mark::kLine, Colour::kBlue};
  const Json& rows = run.results.at("rows");
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (const auto point = point_of(rows.at(r).get<double>(), run.results.at("cosine").at(r)))
      line.points.push_back(*point);
  }
  panel.series.push_back(std::move(line));
  Figure figure{.name = run.name() + "_cosine",
                .title = "The two directions' cosine",
                .panels = {std::move(panel)},
                .panel_height = 4.6};
  figure.caption = "By row, with its 95 % bootstrap band. Rows without one have a direction of zeros.";
  return figure;
}

std::optional<Figure> protocol_figure(const RunFolder& run) {
  const Json protocols = run.results.value("protocols", Json::array());
  if (protocols.empty()) return std::nullopt;
  Panel panel{.x = {.title = "row", .whole = true}, .y = {.title = "degrees", .from = 0}};
  const Json& rows = run.results.at("rows");
  for (std::size_t i = 0; i < protocols.size(); ++i) {
    Series line = group_series(fmt::format("{} and {}", plain_number(protocols[i].at("first")),
                                           plain_number(protocols[i].at("second"))),
                               i, Mark::kLine);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (const auto degrees = number_of(protocols[i].at("degrees").at(r)))
        line.points.push_back({rows[r].get<double>(), *degrees});
    }
    panel.series.push_back(std::move(line));
  }
  Figure figure{.name = run.name() + "_protocols",
                .title = "Angles between extraction protocols",
                .panels = {std::move(panel)},
                .panel_height = 4.8};
  figure.caption =
      "Angle between harmfulness directions that are taken in different ways from the same prompts.";
  return figure;
}

}  // namespace

std::vector<Block> plane_blocks(RunFolder& run) {
  std::vector<Block> blocks{plane_figure(run), cosine_figure(run)};
  if (auto figure = protocol_figure(run)) blocks.emplace_back(std::move(*figure));
  return blocks;
}

}  // namespace hrt
