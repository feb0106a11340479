#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hrt {

// What a figure shows, as data: gnuplot draws it (draw.h), a csv file holds its points (figure_csv.h), and
// the terminal shows its first panel (text_plot.h). Texts are plain; those of others are escaped where they
// are written.

struct Point {
  double x = 0;
  double y = 0;
  std::optional<double> low = {};  // of y, or of x in kIntervals
  std::optional<double> high = {};
};

enum class Mark {
  kLine,       // joined points; low and high make a band
  kPoints,     // points alone
  kIntervals,  // points at height y with a horizontal bar from low to high
  kBand,       // only the band from low to high
  kOutline,    // a closed line, as of an ellipse
  kArea,       // filled down to y = 0, as of a density
  kAreaLeft,   // the same on its side: filled to x = 0
};

enum class Colour { kInk, kGrey, kVermillion, kOrange, kBlue, kSky, kGreen, kPurple };

struct Series {
  std::string name = {};  // empty: none in the legend
  Mark mark = Mark::kLine;
  Colour colour = Colour::kInk;
  bool dashed = false;  // open marks, where there are only marks
  std::vector<Point> points = {};
};

struct Axis {
  std::string title = {};
  std::optional<double> from = {};  // else what the points need
  std::optional<double> to = {};
  std::vector<std::pair<double, std::string>> ticks = {};  // else gnuplot's choice
  bool hidden = false;                                     // no axis at all
  bool whole = false;                                      // whole numbers, as rows and layers are
};

// A line across the panel.
struct Reference {
  double value = 0;
  std::string label = {};
  bool vertical = false;
};

// A matrix drawn in colours, the first row on top.
struct HeatMap {
  std::vector<std::string> rows = {};
  std::vector<std::string> columns = {};
  std::vector<std::vector<std::optional<double>>> values = {};
  double from = 0;  // of the colour scale
  double to = 1;
  int digits = 2;  // of the values that are written into the cells
};

// The part of a figure in which a panel draws, in shares of the figure from its lower left corner.
struct PlotArea {
  double left = 0;
  double bottom = 0;
  double right = 1;
  double top = 1;
};

struct Panel {
  std::string title = {};
  std::string subtitle = {};  // under it
  Axis x = {};
  Axis y = {};
  std::vector<Series> series = {};
  std::vector<Reference> references = {};
  std::optional<HeatMap> heat = {};
  bool bare = false;                  // without axes, as marginals are
  std::optional<PlotArea> area = {};  // else the grid's next cell
};

struct Figure {
  std::string name = {};  // of its files
  std::string title = {};
  std::string caption = {};  // what it shows, on what, with n
  std::vector<Panel> panels = {};
  int columns = 1;
  double panel_height = 5;  // cm, of a grid's cell with its titles
};

// A printed column: every figure is as wide, so that its text is legible where it is used.
inline constexpr double kFigureWidth = 8.6;  // cm

}  // namespace hrt
