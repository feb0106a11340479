#include "gnuplot_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hrt/base/strings.h"
#include "layout.h"
#include "palette.h"

namespace hrt {
namespace {

struct Terminal {
  const char* format;
  const char* name;    // with the unit of its size, and font
  double unit_per_cm;  // of its size
  double type;         // its font size of one printed point
  double line;         // its width of a line of about half a printed point
};

constexpr std::array kTerminals{
    Terminal{"svg", "svg noenhanced fixed background '#ffffff' size {:.0f},{:.0f} font 'sans-serif,{:.1f}'",
             40, 1.4, 1.0},
    Terminal{"pdf", "pdfcairo noenhanced size {:.2f}cm,{:.2f}cm font 'sans,{:.1f}'", 1, 1.0, 0.8},
    Terminal{"png", "pngcairo noenhanced size {:.0f},{:.0f} font 'sans,{:.1f}'", 118.11, 3.1, 3.3},
};

constexpr double kType = 7;  // printed points
constexpr double kSmallType = 6;
constexpr double kSmallestCell = 0.46;  // cm, of a heat map whose cells hold numbers

const Terminal& terminal_of(const std::string& format) {
  return *std::ranges::find_if(kTerminals,
                               [&](const Terminal& terminal) { return terminal.format == format; });
}

// Text in double quotes. What gnuplot would replace there (escapes, commands in backticks, macros) is written
// as octal numbers; in single quotes it cannot read a text that begins with an apostrophe.
std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const bool plain = c < 0 || (c >= ' ' && std::string_view("\"\\`@$").find(c) == std::string_view::npos);
    result += plain ? std::string(1, c) : fmt::format("\\{:03o}", c);
  }
  return result + "\"";
}

std::string label(std::string_view text) { return in_quotes(escape_for_terminal(text)); }

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.9g}", *value) : "NaN";
}

bool has_intervals(const Series& series) {
  return std::ranges::any_of(series.points, [](const Point& point) { return point.low.has_value(); });
}

// Writes one figure for one terminal.
class Script {
 public:
  Script(const Figure& figure, const Terminal& terminal)
      : figure_(figure), layout_(lay_out(figure)), terminal_(terminal) {}

  std::string write(const std::filesystem::path& file) {
    add("reset\nset encoding utf8\nset terminal {}\n",
        fmt::format(fmt::runtime(terminal_.name), kFigureWidth * terminal_.unit_per_cm,
                    layout_.height * terminal_.unit_per_cm, kType * terminal_.type));
    add("set output {}\nset datafile missing 'NaN'\n", in_quotes(std::filesystem::absolute(file).string()));
    for (std::size_t p = 0; p < figure_.panels.size(); ++p) data(p);
    add("set multiplot\n");
    for (std::size_t p = 0; p < figure_.panels.size(); ++p) panel(p);
    add("unset multiplot\nunset output\n");
    return std::move(text_);
  }

 private:
  template <typename... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
  }

  std::string font(double points) const { return fmt::format("font ',{:.1f}'", points * terminal_.type); }
  double line(double width) const { return width * terminal_.line; }

  void data(std::size_t p) {
    const Panel& panel = figure_.panels[p];
    for (std::size_t s = 0; s < panel.series.size(); ++s) {
      add("$p{}s{} << EOD\n", p, s);
      for (const Point& point : panel.series[s].points)
        add("{} {} {} {}\n", number(point.x), number(point.y), number(point.low), number(point.high));
      add("EOD\n");
    }
    if (!panel.heat) return;
    add("$p{}heat << EOD\n", p);
    for (std::size_t r = 0; r < panel.heat->rows.size(); ++r) {
      for (std::size_t c = 0; c < panel.heat->columns.size(); ++c)
        add("{} {} {}\n", c, r, number(panel.heat->values[r][c]));
    }
    add("EOD\n");
  }

  void panel(std::size_t p) {
    const Panel& panel = figure_.panels[p];
    const PlotArea& area = layout_.areas[p];
    add("unset label\nunset arrow\nunset object\nunset key\nunset title\nunset colorbox\n");
    add("set lmargin at screen {:.4f}\nset rmargin at screen {:.4f}\n", area.left, area.right);
    add("set bmargin at screen {:.4f}\nset tmargin at screen {:.4f}\n", area.bottom, area.top);
    ranges(panel);
    if (panel.bare) {
      add("unset border\nunset xtics\nunset ytics\nunset grid\n");
    } else {
      axes(panel);
    }
    if (!panel.bare) titles(p);
    for (const Reference& reference : panel.references) draw_reference(panel, reference);
    if (layout_.at_the_ends[p]) name_ends(panel);
    if (p == 0) legend();
    plot(p);
  }

  void ranges(const Panel& panel) {
    const Range x = x_range(panel);
    const Range y = y_range(panel);
    add("set xrange [{:.9g}:{:.9g}]\n", x.from, x.to);
    if (panel.heat) {
      add("set yrange [{:.9g}:{:.9g}]\n", y.to, y.from);  // the first row on top
    } else {
      add("set yrange [{:.9g}:{:.9g}]\n", y.from, y.to);
    }
  }

  void axes(const Panel& panel) {
    const std::string ink = hex(Colour::kInk);
    add("set border {} linewidth {:.2f} linecolor rgb '{}'\n",
        panel.heat       ? 0
        : panel.y.hidden ? 1
                         : 3,
        line(0.7), ink);
    add("set tics nomirror out scale {} textcolor rgb '{}' {}\n", panel.heat ? 0.0 : 0.4, ink, font(kType));
    if (panel.heat) {
      add("unset grid\n");
    } else {
      add("set grid xtics ytics linewidth {:.2f} linetype 1 linecolor rgb '#e4e6ea'\n", line(0.5));
    }
    tics('x', panel.x, panel.heat ? panel.heat->columns : std::vector<std::string>{}, x_range(panel));
    if (panel.y.hidden) {
      add("unset ytics\n");
      return;
    }
    tics('y', panel.y, panel.heat ? panel.heat->rows : std::vector<std::string>{}, y_range(panel));
  }

  // Placed by themselves: what gnuplot leaves between an axis and its title differs between its terminals.
  void titles(std::size_t p) {
    const Panel& panel = figure_.panels[p];
    const PlotArea& area = layout_.areas[p];
    const double across = 1 / kFigureWidth;
    const double up = 1 / layout_.height;
    const auto put = [&](const std::string& text, double x, double y, const char* place, double points,
                         Colour colour) {
      if (text.empty()) return;
      add("set label {} at screen {:.4f},{:.4f} {} {} textcolor rgb '{}'\n", label(text), x, y, place,
          font(points), hex(colour));
    };
    put(panel.x.title, (area.left + area.right) / 2, area.bottom - (layout_.below[p] - 0.18) * up, "center",
        kType, Colour::kInk);
    put(panel.y.title, area.left - (layout_.left[p] - 0.18) * across, (area.bottom + area.top) / 2,
        "center rotate by 90", kType, Colour::kInk);
    put(panel.title, area.left, area.top + (panel.subtitle.empty() ? 0.25 : 0.55) * up, "left", kType + 0.5,
        Colour::kInk);
    put(panel.subtitle, area.left, area.top + 0.2 * up, "left", kType, Colour::kGrey);
  }

  // Named ticks, ticks at whole numbers, or gnuplot's.
  void tics(char axis, const Axis& described, const std::vector<std::string>& names, const Range& range) {
    std::vector<std::string> at;
    for (std::size_t i = 0; i < names.size(); ++i)
      at.push_back(fmt::format("{} {}", label(axis_name(names[i])), i));
    for (const auto& [place, name] : described.ticks)
      at.push_back(fmt::format("{} {}", label(axis_name(name)), place));
    add("set {}tics autofreq norotate offset 0,0\n", axis);
    if (!at.empty()) {
      add("set {}tics ({})\n", axis, join(at, ", "));
      const bool long_names =
          std::ranges::any_of(at, [](const std::string& tick) { return tick.size() > 8; });
      if (axis == 'x' && long_names) add("set xtics rotate by 40 right offset 0.3,0\n");
    } else if (described.whole) {
      const double step = std::max(1.0, std::ceil(range.size() / 8));
      add("set {}tics {}\n", axis, step);
    } else if (axis == 'x') {
      add("set xtics {:.9g} offset 0,0.2\n", tick_step(range.size()));
    }
    add("set format {} '%g'\n", axis);
  }

  void draw_reference(const Panel& panel, const Reference& reference) {
    const Range x = x_range(panel);
    const Range y = y_range(panel);
    const std::string grey = hex(Colour::kGrey);
    const double at = reference.value;
    if (reference.vertical) {
      add("set arrow from {:.9g},{:.9g} to {:.9g},{:.9g} nohead dashtype 3 linewidth {:.2f} linecolor rgb "
          "'{}' back\n",
          at, y.from, at, y.to, line(0.8), grey);
    } else {
      add("set arrow from {:.9g},{:.9g} to {:.9g},{:.9g} nohead dashtype 3 linewidth {:.2f} linecolor rgb "
          "'{}' back\n",
          x.from, at, x.to, at, line(0.8), grey);
    }
    if (reference.label.empty()) return;
    if (reference.vertical) {
      add("set label {} at {:.9g}, graph 0.97 left offset 0.3,0 {} textcolor rgb '{}'\n",
          label(reference.label), at, font(kSmallType), grey);
    } else {
      const std::string side = label_side(panel, reference);
      if (side.empty()) return;
      add("set label {} at graph {}, first {:.9g} {} offset 0,0.45 {} textcolor rgb '{}'\n",
          label(reference.label), side == "left" ? 0.01 : 0.99, at, side, font(kSmallType), grey);
    }
  }

  void name_ends(const Panel& panel) {
    for (const Series& series : panel.series) {
      if (series.name.empty() || series.points.empty()) continue;
      add("set label {} at {:.9g},{:.9g} left offset 0.7,0 {} textcolor rgb '{}'\n", label(series.name),
          series.points.back().x, series.points.back().y, font(kType), hex(series.colour));
    }
  }

  void legend() {
    for (const LegendItem& item : layout_.legend) {
      const Series& style = item.style;
      const double width = 0.4 / kFigureWidth;
      const bool thick = style.mark == Mark::kBand;
      if (style.mark == Mark::kPoints || style.mark == Mark::kIntervals) {
        add("set label '' at screen {:.4f},{:.4f} point pointtype {} pointsize {:.2f} linecolor rgb '{}'\n",
            item.x + width / 2, item.y, style.dashed ? 6 : 7, point_size(0.8), hex(style.colour));
      } else {
        add("set arrow from screen {:.4f},{:.4f} to screen {:.4f},{:.4f} nohead dashtype {} linewidth {:.2f} "
            "linecolor rgb '{}{}'\n",
            item.x, item.y, item.x + width, item.y, dash(style.dashed),
            // The svg terminal takes over an arrow's dashes only where its colour or its width changes, too.
            line(thick ? 5 : style.dashed ? 1.5 : 1.6),
            thick ? "#" : "", thick ? "c0" + hex(style.colour).substr(1) : hex(style.colour));
      }
      add("set label {} at screen {:.4f},{:.4f} left {} textcolor rgb '{}'\n", label(style.name),
          item.x + 0.5 / kFigureWidth, item.y, font(kType), hex(Colour::kInk));
    }
  }

  static const char* dash(bool dashed) { return dashed ? "(5,3)" : "1"; }

  double point_size(double size) const { return size * 0.55 * (terminal_.unit_per_cm > 100 ? 3.2 : 1); }

  void plot(std::size_t p) {
    const Panel& panel = figure_.panels[p];
    std::vector<std::string> parts;
    if (panel.heat) heat(p, *panel.heat, parts);
    for (std::size_t s = 0; s < panel.series.size(); ++s)
      marks(fmt::format("$p{}s{}", p, s), panel.series[s], parts);
    if (parts.empty()) parts.push_back("NaN notitle");
    add("plot {}\n", join(parts, ", \\\n     "));
  }

  void marks(const std::string& data, const Series& series, std::vector<std::string>& parts) const {
    if (series.points.empty()) return;
    const std::string colour = hex(series.colour);
    const auto filled = [&](const char* columns, const char* to, double share) {
      parts.push_back(
          fmt::format("{} using {} with filledcurves {} fillcolor rgb '{}' fillstyle transparent solid {} "
                      "noborder notitle",
                      data, columns, to, colour, share));
    };
    const auto points = [&](const char* with, const char* columns, double size) {
      parts.push_back(
          fmt::format("{} using {} with {} pointtype {} pointsize {:.2f} linewidth {:.2f} linecolor rgb "
                      "'{}' notitle",
                      data, columns, with, series.dashed ? 6 : 7, point_size(size), line(1), colour));
    };
    const auto joined = [&](double width) {
      parts.push_back(
          fmt::format("{} using 1:2 with lines linewidth {:.2f} dashtype {} linecolor rgb '{}' notitle", data,
                      line(width), dash(series.dashed), colour));
    };
    switch (series.mark) {
      case Mark::kLine:
        if (has_intervals(series)) filled("1:3:4", "", 0.18);
        joined(1.6);
        if (series.points.size() <= 40) points("points", "1:2", 0.5);
        break;
      case Mark::kBand:
        filled("1:3:4", "", 0.25);
        break;
      case Mark::kPoints:
        points("points", "1:2", 0.6);
        break;
      case Mark::kIntervals:
        if (has_intervals(series)) points("xerrorbars", "1:2:3:4", 0.9);
        points("points", "1:2", 0.9);
        break;
      case Mark::kOutline:
        joined(1.2);
        break;
      case Mark::kArea:
        filled("1:2", "y1=0", 0.35);
        break;
      case Mark::kAreaLeft:
        filled("1:2", "x1=0", 0.35);
        break;
    }
  }

  void heat(std::size_t p, const HeatMap& map, std::vector<std::string>& parts) {
    const PlotArea& area = layout_.areas[p];
    add("set palette defined (0 '#f7fbff', 0.35 '#b8d4ea', 0.7 '#3d87bd', 1 '#08306b')\n");
    add("set cbrange [{}:{}]\nset cbtics {}\n", map.from, map.to, font(kSmallType));
    add("set colorbox user origin screen {:.4f},{:.4f} size screen {:.4f},{:.4f} noborder\n",
        area.right + 0.15 / kFigureWidth, area.bottom, 0.2 / kFigureWidth, area.top - area.bottom);
    parts.push_back(fmt::format(
        "$p{}heat using 1:2:(0.5):(0.5):3 with boxxyerror fillstyle solid noborder linecolor palette notitle",
        p));
    const double cell = (area.right - area.left) * kFigureWidth / static_cast<double>(map.columns.size());
    if (cell < kSmallestCell) return;
    const double middle = map.from + 0.6 * (map.to - map.from);
    for (std::size_t r = 0; r < map.rows.size(); ++r) {
      for (std::size_t c = 0; c < map.columns.size(); ++c) {
        const std::optional<double>& value = map.values[r][c];
        if (!value || map.rows[r] == map.columns[c]) continue;
        add("set label '{:.{}f}' at {},{} center {} textcolor rgb '{}' front\n", *value, map.digits, c, r,
            font(4.6), *value > middle ? "#ffffff" : "#1b1e24");
      }
    }
  }

  const Figure& figure_;
  Layout layout_;
  const Terminal& terminal_;
  std::string text_;
};

}  // namespace

std::string gnuplot_script(const Figure& figure, const std::string& format,
                           const std::filesystem::path& file) {
  return Script(figure, terminal_of(format)).write(file);
}

}  // namespace hrt
