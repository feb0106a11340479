#include "layout.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr double kLetter = 0.135;         // cm, of the 7 point type
constexpr double kLegendLine = 0.42;      // cm
constexpr double kLegendMark = 0.55;      // cm, mark and the space behind it
constexpr double kLegendGap = 0.35;       // cm, between items
constexpr double kEndGap = 0.32;          // cm, between the names of two lines at their ends
constexpr std::size_t kLongestName = 30;  // letters, of a name on an axis
constexpr double kLongestEnd = 2.6;       // cm

class RangeBuilder {
 public:
  void add(double value) {
    from_ = std::min(from_, value);
    to_ = std::max(to_, value);
  }
  void add(const std::optional<double>& value) {
    if (value) add(*value);
  }

  // `room`: the share of the range that is left free on either side that the axis does not fix.
  Range range(const Axis& axis, double room) const {
    Range range{axis.from.value_or(from_), axis.to.value_or(to_)};
    if (!(range.from <= range.to)) range = {0, 1};  // no points at all
    if (range.size() == 0) range = {range.from - 0.5, range.to + 0.5};
    const double free = room * range.size();
    if (!axis.from) range.from -= free;
    if (!axis.to) range.to += free;
    return range;
  }

 private:
  double from_ = std::numeric_limits<double>::infinity();
  double to_ = -std::numeric_limits<double>::infinity();
};

bool horizontal_bars(const Series& series) { return series.mark == Mark::kIntervals; }

std::size_t longest_tick(const Axis& axis) {
  std::size_t longest = 0;
  for (const auto& [place, text] : axis.ticks) longest = std::max(longest, terminal_width(axis_name(text)));
  return longest;
}

std::size_t longest(const std::vector<std::string>& texts) {
  std::size_t longest = 0;
  for (const std::string& text : texts) longest = std::max(longest, terminal_width(axis_name(text)));
  return longest;
}

double left_margin(const Panel& panel) {
  const std::size_t letters = panel.heat ? longest(panel.heat->rows) : longest_tick(panel.y);
  const double ticks = letters > 0 ? 0.35 + kLetter * static_cast<double>(letters) : 0.95;
  return ticks + (panel.y.title.empty() ? 0 : 0.4);
}

double bottom_margin(const Panel& panel) {
  const std::size_t letters = panel.heat ? longest(panel.heat->columns) : longest_tick(panel.x);
  const double ticks = letters > 4 ? 0.3 + 0.75 * kLetter * static_cast<double>(letters) : 0.45;
  return ticks + (panel.x.title.empty() ? 0 : 0.45);
}

double end_labels(const Panel& panel) {
  double width = 0;
  for (const Series& series : panel.series) width = std::max(width, text_width(series.name));
  return width + 0.2;
}

double right_margin(const Panel& panel, bool at_the_ends) {
  if (panel.heat) return 1.1;
  return at_the_ends ? end_labels(panel) : 0.35;
}
double top_margin(const Panel& panel) {
  return (panel.title.empty() ? 0.2 : 0.55) + (panel.subtitle.empty() ? 0 : 0.3);
}

// Whether the panel's lines can be named at their ends: few of them, of short names, that end apart.
bool ends_apart(const Panel& panel, double height) {
  std::vector<double> ends;
  for (const Series& series : panel.series) {
    if (series.name.empty()) continue;
    if (series.mark != Mark::kLine || series.points.empty()) return false;
    ends.push_back(series.points.back().y);
  }
  std::ranges::sort(ends);
  const double gap = kEndGap / height * y_range(panel).size();
  const auto close = [&](double below, double above) { return above - below < gap; };
  return ends.size() <= 5 && end_labels(panel) <= kLongestEnd &&
         std::ranges::adjacent_find(ends, close) == ends.end();
}

bool named_at_ends(const Figure& figure, const Panel& panel) {
  return figure.columns == 1 && !panel.heat && !panel.area && ends_apart(panel, figure.panel_height - 1.5);
}

bool in_legend(const std::vector<LegendItem>& legend, const std::string& name) {
  return std::ranges::any_of(legend, [&](const LegendItem& item) { return item.style.name == name; });
}

// The items' places from the left in cm, and their lines from the top, both for now in x and y.
std::vector<LegendItem> legend_lines(const Figure& figure, const std::vector<bool>& at_the_ends, int& lines) {
  std::vector<LegendItem> legend;
  double x = 0.3;
  int line = 0;
  for (std::size_t p = 0; p < figure.panels.size(); ++p) {
    if (at_the_ends[p]) continue;
    for (const Series& series : figure.panels[p].series) {
      if (series.name.empty() || in_legend(legend, series.name)) continue;
      const double width = kLegendMark + text_width(series.name);
      if (x > 0.3 && x + width > kFigureWidth - 0.2) {
        x = 0.3;
        ++line;
      }
      Series style = series;
      style.points.clear();
      legend.push_back({std::move(style), x, static_cast<double>(line)});
      x += width + kLegendGap;
    }
  }
  if (legend.size() < 2) legend.clear();
  lines = legend.empty() ? 0 : line + 1;
  return legend;
}

}  // namespace

std::string axis_name(const std::string& name) {
  if (terminal_width(name) <= kLongestName) return name;
  std::string cut;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(std::string_view(name).substr(at)));
    if (terminal_width(cut) + 1 >= kLongestName) break;
    cut += name.substr(at, length);
    at += length;
  }
  return cut + "…";
}

double tick_step(double size) {
  const double least = size / 5.2;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) return factor * power;
  }
  return 10 * power;
}

double text_width(std::string_view text) { return kLetter * static_cast<double>(terminal_width(text)); }

Range x_range(const Panel& panel) {
  if (panel.heat) return {-0.5, static_cast<double>(panel.heat->columns.size()) - 0.5};
  RangeBuilder builder;
  for (const Series& series : panel.series) {
    for (const Point& point : series.points) {
      builder.add(point.x);
      if (horizontal_bars(series)) {
        builder.add(point.low);
        builder.add(point.high);
      }
    }
  }
  return builder.range(panel.x, panel.x.whole ? 0.02 : 0.05);
}

Range y_range(const Panel& panel) {
  if (panel.heat) return {-0.5, static_cast<double>(panel.heat->rows.size()) - 0.5};
  RangeBuilder builder;
  for (const Series& series : panel.series) {
    for (const Point& point : series.points) {
      builder.add(point.y);
      if (horizontal_bars(series)) continue;
      builder.add(point.low);
      builder.add(point.high);
    }
  }
  for (const Reference& reference : panel.references) {
    if (!reference.vertical) builder.add(reference.value);
  }
  return builder.range(panel.y, 0.06);
}

Layout lay_out(const Figure& figure) {
  Layout layout;
  int lines = 0;
  for (const Panel& panel : figure.panels) layout.at_the_ends.push_back(named_at_ends(figure, panel));
  layout.legend = legend_lines(figure, layout.at_the_ends, lines);
  const double head = lines > 0 ? lines * kLegendLine + 0.1 : 0;
  const auto in_grid = std::ranges::count_if(figure.panels, [](const Panel& panel) { return !panel.area; });
  const int rows = static_cast<int>((in_grid + figure.columns - 1) / figure.columns);
  const double body = std::max(rows, 1) * figure.panel_height;
  layout.height = body + head;
  const double cell_width = kFigureWidth / figure.columns;
  int cell = 0;
  for (const Panel& panel : figure.panels) {
    layout.left.push_back(left_margin(panel));
    layout.below.push_back(bottom_margin(panel));
    if (panel.area) {
      PlotArea area = *panel.area;  // of the body, below the legend
      area.bottom *= body / layout.height;
      area.top *= body / layout.height;
      layout.areas.push_back(area);
      continue;
    }
    const double left = (cell % figure.columns) * cell_width;
    const double top = body - (cell / figure.columns) * figure.panel_height;
    layout.areas.push_back(
        {(left + left_margin(panel)) / kFigureWidth,
         (top - figure.panel_height + bottom_margin(panel)) / layout.height,
         (left + cell_width - right_margin(panel, layout.at_the_ends[layout.areas.size()])) / kFigureWidth,
         (top - top_margin(panel)) / layout.height});
    ++cell;
  }
  for (LegendItem& item : layout.legend) {
    item.x /= kFigureWidth;
    item.y = 1 - (0.28 + item.y * kLegendLine) / layout.height;
  }
  return layout;
}

std::string label_side(const Panel& panel, const Reference& reference) {
  const Range x = x_range(panel);
  const Range y = y_range(panel);
  int left = 0;
  int right = 0;
  for (const Series& series : panel.series) {
    for (const Point& point : series.points) {
      const double above = (point.y - reference.value) / y.size();
      if (above < -0.03 || above > 0.14) continue;
      const double along = (point.x - x.from) / x.size();
      left += along < 0.3 ? 1 : 0;
      right += along > 0.7 ? 1 : 0;
    }
  }
  if (std::min(left, right) > 1) return "";
  return left < right ? "left" : "right";
}

}  // namespace hrt
