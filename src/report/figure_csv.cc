#include "figure_csv.h"

#include <algorithm>

#include "hrt/base/csv.h"

namespace hrt {
namespace {

std::string tick_or_number(const Axis& axis, double value) {
  const auto tick = std::ranges::find(axis.ticks, value, &std::pair<double, std::string>::first);
  return tick == axis.ticks.end() ? CsvField(value).text() : tick->second;
}

void add_heat(const Panel& panel, Csv& csv) {
  const HeatMap& heat = *panel.heat;
  for (std::size_t r = 0; r < heat.rows.size(); ++r) {
    for (std::size_t c = 0; c < heat.columns.size(); ++c)
      csv.row({panel.title, heat.rows[r], heat.columns[c], heat.values[r][c], "", ""});
  }
}

}  // namespace

std::string figure_csv(const Figure& figure) {
  Csv csv({"panel", "series", "x", "y", "low", "high"});
  for (const Panel& panel : figure.panels) {
    if (panel.heat) add_heat(panel, csv);
    for (const Series& series : panel.series) {
      for (const Point& point : series.points)
        csv.row({panel.title, series.name, tick_or_number(panel.x, point.x), tick_or_number(panel.y, point.y),
                 point.low, point.high});
    }
    for (const Reference& reference : panel.references)
      csv.row({panel.title, reference.label, "", reference.value, "", ""});
  }
  return csv.text();
}

}  // namespace hrt
