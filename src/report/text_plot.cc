#include "text_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hrt/base/strings.h"
#include "layout.h"

namespace hrt {
namespace {

constexpr std::size_t kWidth = 60;
constexpr std::size_t kHeight = 13;

bool is_drawn(const Series& series) {
  return (series.mark == Mark::kLine || series.mark == Mark::kPoints) && !series.points.empty();
}

std::size_t cell(double value, const Range& range, std::size_t cells) {
  const double share = std::clamp((value - range.from) / range.size(), 0.0, 1.0);
  return static_cast<std::size_t>(std::lround(share * static_cast<double>(cells - 1)));
}

// Points are prompts (or whatever is scattered): how many, the legend says.
std::string legend_text(const Series& series) {
  const std::string name = escape_for_terminal(series.name);
  return series.mark == Mark::kPoints ? fmt::format("{} (n = {})", name, series.points.size()) : name;
}

class Grid {
 public:
  Grid(const Range& x, const Range& y) : x_(x), y_(y), lines_(kHeight, std::string(kWidth, ' ')) {}

  void level(double value) {
    if (value > y_.from && value < y_.to) lines_[line(value)] = std::string(kWidth, '-');
  }

  // Joined along x, where they are points of a line.
  void draw(const Series& series, char letter) {
    for (std::size_t i = 0; i < series.points.size(); ++i) {
      const Point& to = series.points[i];
      if (i > 0 && series.mark == Mark::kLine) join(series.points[i - 1], to);
    }
    for (const Point& point : series.points) lines_[line(point.y)][cell(point.x, x_, kWidth)] = letter;
  }

  std::string text() const {
    std::string text;
    for (std::size_t i = 0; i < kHeight; ++i) {
      const double value = y_.to - y_.size() * static_cast<double>(i) / (kHeight - 1);
      const bool labelled = i % 4 == 0;
      text += labelled ? fmt::format("  {:>7.3g} |", value) : fmt::format("  {:>7} |", "");
      text += lines_[i].substr(0, lines_[i].find_last_not_of(' ') + 1) + "\n";
    }
    return text;
  }

 private:
  std::size_t line(double y) const { return kHeight - 1 - cell(y, y_, kHeight); }

  void join(const Point& from, const Point& to) {
    const std::size_t first = cell(from.x, x_, kWidth);
    const std::size_t last = cell(to.x, x_, kWidth);
    for (std::size_t c = first + 1; c < last; ++c) {
      const double share = static_cast<double>(c - first) / static_cast<double>(last - first);
      char& place = lines_[line(from.y + share * (to.y - from.y))][c];
      if (place == ' ' || place == '-') place = '.';
    }
  }

  Range x_;
  Range y_;
  std::vector<std::string> lines_;
};

}  // namespace

std::string text_plot(const Panel& panel) {
  if (panel.heat || std::ranges::none_of(panel.series, is_drawn)) return "";
  const Range x = x_range(panel);
  Grid grid(x, y_range(panel));
  for (const Reference& reference : panel.references) {
    if (!reference.vertical) grid.level(reference.value);
  }
  std::string legend;
  char letter = 'A';
  for (const Series& series : panel.series) {
    if (!is_drawn(series)) continue;
    grid.draw(series, letter);
    if (!series.name.empty()) legend += fmt::format("  {} {}", letter, legend_text(series));
    ++letter;
  }
  std::string text =
      fmt::format("  {}\n", escape_for_terminal(panel.title.empty() ? panel.y.title : panel.title));
  text += grid.text();
  text += fmt::format("  {:>7} +{}\n", "", std::string(kWidth, '-'));
  text += fmt::format("  {:>7}  {:<{}}{:>{}}\n", "", fmt::format("{:.3g}", x.from), kWidth / 2,
                      fmt::format("{} {:.3g}", panel.x.title, x.to), kWidth / 2);
  return text + (legend.empty() ? "" : "  " + std::string(7, ' ') + legend + "\n");
}

}  // namespace hrt
