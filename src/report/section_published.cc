#include <fmt/format.h>

#include <algorithm>

#include "hrt/base/strings.h"
#include "numbers.h"
#include "scoreboard.h"

namespace hrt {
namespace {

// A published number; of several published as a range a line between the ends, which is no interval.
Series published_mark(const std::string& model, std::size_t number, const Json& value) {
  const bool range = value.is_array();
  Series mark = group_series(model, number, range ? Mark::kOutline : Mark::kPoints);
  mark.dashed = !range;
  const std::vector<Json> ends = range ? value.get<std::vector<Json>>() : std::vector<Json>{value};
  const double height = 0.85 - 0.15 * static_cast<double>(number);  // apart, where values are the same
  for (const Json& end : ends) mark.points.push_back({end.get<double>(), height});
  return mark;
}

// One published number of each model, beside what was measured here: a thin panel.
Panel value_panel(const Json& published) {
  const bool percent = published.value("unit", "") == "%";
  Panel panel{.title = published.at("what").get<std::string>() + (percent ? ", %" : ""),
              .y = {.from = 0, .to = 1, .hidden = true}};
  if (percent) panel.x = {.from = 0, .to = 102};
  std::size_t number = 0;
  for (const auto& [model, value] : published.at("values").items())
    panel.series.push_back(published_mark(model, number++, value));
  Series ours{"measured here", Mark::kIntervals, Colour::kInk};
  if (const auto measured = point_of(0, published.value("measured", Json())))
    ours.points.push_back({measured->y, 0.3, measured->low, measured->high});
  panel.series.push_back(std::move(ours));
  return panel;
}

}  // namespace

std::optional<Figure> published_figure(const Json& experiment) {
  Figure figure{.name = experiment.value("id", "") + "_published",
                .title = "Published values, and ours",
                .panel_height = 1.75};
  std::vector<std::string> sources;
  for (const Json& published : experiment.value("published", Json::array())) {
    if (!number_at(published.value("measured", Json()), "/value")) continue;
    figure.panels.push_back(value_panel(published));
    const std::string source = published.value("source", "");
    if (std::ranges::find(sources, source) == sources.end()) sources.push_back(source);
  }
  if (figure.panels.empty()) return std::nullopt;
  figure.caption = fmt::format(
      "Open marks, a line where a range was published: {}. Filled: this run, with its 95 % interval where it "
      "has one. "
      "Another model than a published one need not "
      "agree with it.",
      join(sources, "; "));
  return figure;
}

}  // namespace hrt
