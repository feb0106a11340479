#pragma once

#include <string>
#include <vector>

#include "figure.h"

namespace hrt {

struct Range {
  double from = 0;
  double to = 1;
  double size() const { return to - from; }
};

// What the panel's points, bars and references need, with a little room, where its axis does not say.
Range x_range(const Panel& panel);
Range y_range(const Panel& panel);

struct LegendItem {
  Series style;  // without points
  double x = 0;  // where its mark begins, in shares of the figure
  double y = 0;
};

// Where everything of a figure stands.
struct Layout {
  double height = 0;               // cm; kFigureWidth wide
  std::vector<PlotArea> areas;     // of each panel
  std::vector<double> left;        // cm from the panel's y axis to the left end of its cell
  std::vector<double> below;       // cm from its x axis to the lower end of its cell
  std::vector<bool> at_the_ends;   // of each panel: its lines are named at their ends
  std::vector<LegendItem> legend;  // of the other panels, above them
};

Layout lay_out(const Figure& figure);

// Where along a horizontal reference its label stands in nobody's way: "left", "right", or nowhere.
std::string label_side(const Panel& panel, const Reference& reference);

// A name on an axis, which must leave room for the figure: the end of a long one is cut. Tables and csv have
// all of it.
std::string axis_name(const std::string& name);

// The distance of the ticks of an axis that is as long as that: 1, 2 or 5 times a power of ten, at most about
// five of them.
double tick_step(double size);

// How wide a text of the figures' small type is about, in cm.
double text_width(std::string_view text);

}  // namespace hrt
