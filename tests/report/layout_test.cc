#include "layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hrt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Series line(const std::string& name, std::vector<Point> points) {
  return {name, Mark::kLine, Colour::kBlue, false, std::move(points)};
}

TEST(Range, TakesInPointsBandsAndReferences) {
  const Panel panel{.series = {line("a", {{0, 1, 0.5, 3.0}, {2, 2}})}, .references = {{-1, ""}}};
  const Range y = y_range(panel);
  EXPECT_LT(y.from, -1);
  EXPECT_GT(y.to, 3);
  EXPECT_LT(y.to, 3.5);
}

TEST(Range, IsTheAxisOwnWhereItSaysSo) {
  const Panel panel{.y = {.from = 0, .to = 100}, .series = {line("a", {{0, 40}})}};
  EXPECT_EQ(y_range(panel).from, 0);
  EXPECT_EQ(y_range(panel).to, 100);
}

TEST(Range, IsNeverEmpty) {
  EXPECT_GT(x_range({}).size(), 0);
  EXPECT_GT(y_range({.series = {line("a", {{1, 5}})}}).size(), 0);
}

TEST(Range, OfIntervalsRunsAlongX) {
  const Panel panel{.series = {{"a", Mark::kIntervals, Colour::kInk, false, {{50, 1, 20.0, 80.0}}}}};
  EXPECT_LE(x_range(panel).from, 20);
  EXPECT_GE(x_range(panel).to, 80);
  EXPECT_LT(y_range(panel).to, 5);
}

TEST(Layout, PanelsOfAGridDoNotOverlap) {
  Figure figure{.panels = std::vector<Panel>(5), .columns = 2, .panel_height = 4};
  const Layout layout = lay_out(figure);
  EXPECT_NEAR(layout.height, 12, 1e-9);
  for (std::size_t a = 0; a < 5; ++a) {
    const PlotArea& one = layout.areas[a];
    EXPECT_GE(one.left, 0);
    EXPECT_LE(one.top, 1);
    EXPECT_LT(one.bottom, one.top);
    for (std::size_t b = 0; b < a; ++b) {
      const PlotArea& other = layout.areas[b];
      EXPECT_TRUE(one.left >= other.right || other.left >= one.right || one.bottom >= other.top ||
                  other.bottom >= one.top);
    }
  }
}

TEST(Layout, LinesThatEndApartAreNamedAtTheirEnds) {
  const Figure apart{.panels = {{.series = {line("a", {{0, 0}, {1, 0}}), line("b", {{0, 0}, {1, 1}})}}}};
  EXPECT_THAT(lay_out(apart).at_the_ends, ElementsAre(true));
  EXPECT_THAT(lay_out(apart).legend, IsEmpty());
  const Figure together{
      .panels = {{.series = {line("a", {{0, 0}, {1, 1}}), line("b", {{0, 1}, {1, 1.01}})}}}};
  EXPECT_THAT(lay_out(together).at_the_ends, ElementsAre(false));
  EXPECT_THAT(lay_out(together).legend, SizeIs(2));
}

TEST(Layout, ALegendNamesEachSeriesOnceAndStaysInsideTheFigure) {
  Figure figure{.columns = 2};
  for (int p = 0; p < 2; ++p) {
    Panel panel;
    for (const char* name : {"refused harmful", "accepted harmful", "refused harmless", "accepted harmless"})
      panel.series.push_back(line(name, {{0, 1}}));
    figure.panels.push_back(panel);
  }
  const Layout layout = lay_out(figure);
  EXPECT_THAT(layout.legend, SizeIs(4));
  for (const LegendItem& item : layout.legend) {
    EXPECT_LE(item.x * kFigureWidth + text_width(item.style.name), kFigureWidth);
    EXPECT_LT(item.y, 1);
    EXPECT_GT(item.y, layout.areas.front().top);
  }
}

TEST(AxisName, IsCutWhereItIsLong) {
  EXPECT_EQ(axis_name("human chatbox"), "human chatbox");
  EXPECT_EQ(axis_name("discrimination exclusion toxicity"), "discrimination exclusion toxi…");
}

TEST(TickStep, IsRoundAndLeavesRoom) {
  EXPECT_DOUBLE_EQ(tick_step(102), 20);
  EXPECT_DOUBLE_EQ(tick_step(0.037), 0.01);
  EXPECT_DOUBLE_EQ(tick_step(3), 1);
}

TEST(Reference, IsNamedWhereNoPointsAre) {
  const Panel left_taken{.series = {line("a", {{0, 0.5}, {1, 0.52}, {2, 0.9}, {9, 1}, {10, 1}})}};
  EXPECT_EQ(label_side(left_taken, {0.5, "chance"}), "right");
  const Panel right_taken{.series = {line("a", {{0, 1}, {1, 1}, {9, 0.52}, {10, 0.5}})}};
  EXPECT_EQ(label_side(right_taken, {0.5, "chance"}), "left");
  const Panel both_taken{.y = {.from = 0, .to = 1},
                         .series = {line("a", {{0, 0.5}, {1, 0.5}, {9, 0.51}, {10, 0.5}})}};
  EXPECT_EQ(label_side(both_taken, {0.5, "chance"}), "");
}

}  // namespace
}  // namespace hrt
