#include "draw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "figure_csv.h"
#include "gnuplot_script.h"
#include "hrt/base/file.h"
#include "temporary_folder.h"
#include "text_plot.h"

namespace hrt {
namespace {

using testing::HasSubstr;
using testing::Not;

Figure figure_of(const std::string& name) {
  return {
      .name = "plot",
      .title = "A figure",
      .panels = {{.title = name,
                  .x = {.title = "row", .whole = true},
                  .series = {{name, Mark::kLine, Colour::kBlue, false, {{0, 1, 0.5, 1.5}, {1, 2, 1.5, 2.5}}}},
                  .references = {{1, "chance"}}}}};
}

TEST(GnuplotScript, TakesNamesForNothingButText) {
  // Neither a quote, nor a backtick, nor an escape sequence stays as it is.
  const std::string script =
      gnuplot_script(figure_of("it's `date` \x1b[31m \"x\"\nset output 'y'"), "svg", "out.svg");
  EXPECT_THAT(script, HasSubstr(R"("it's \140date\140 \134x1b[31m \042x\042\134nset output 'y'")"));
  EXPECT_THAT(script, Not(HasSubstr("\x1b")));
  EXPECT_THAT(script, Not(HasSubstr("\nset output 'y'")));
}

TEST(GnuplotScript, HoldsThePointsAndTheirBand) {
  const std::string script = gnuplot_script(figure_of("a"), "pdf", "out.pdf");
  EXPECT_THAT(script, HasSubstr("0 1 0.5 1.5\n1 2 1.5 2.5\n"));
  EXPECT_THAT(script, HasSubstr("filledcurves"));
  EXPECT_THAT(script, HasSubstr("pdfcairo"));
}

TEST(Draw, WritesEveryFormat) {
  if (!have_gnuplot()) GTEST_SKIP() << "gnuplot is not there";
  const TemporaryFolder folder;
  draw({figure_of("`touch x`")}, {"svg", "pdf", "png"}, folder.path());
  EXPECT_THAT(read_file(folder / "plot.svg"), HasSubstr("</svg>"));
  EXPECT_THAT(read_file(folder / "plot.pdf"), testing::StartsWith("%PDF"));
  EXPECT_THAT(read_file(folder / "plot.png"), HasSubstr("IEND"));
}

TEST(Draw, DrawsHeatMapsIntervalsOutlinesAndNoPointsAtAll) {
  if (!have_gnuplot()) GTEST_SKIP() << "gnuplot is not there";
  const TemporaryFolder folder;
  Figure figure{.name = "all"};
  figure.panels.push_back({.heat = HeatMap{{"a", "b"}, {"c", "d"}, {{0.1, 0.9}, {std::nullopt, 1.0}}}});
  figure.panels.push_back({.series = {{"i", Mark::kIntervals, Colour::kInk, true, {{1, 1, 0.0, 2.0}}}}});
  figure.panels.push_back({.series = {{"o", Mark::kOutline, Colour::kInk, false, {{0, 0}, {1, 1}, {0, 0}}}}});
  figure.panels.push_back({.title = "empty", .series = {{"nothing"}}});
  draw({figure}, {"svg"}, folder.path());
  EXPECT_THAT(read_file(folder / "all.svg"), HasSubstr("</svg>"));
}

TEST(FigureCsv, HoldsAllPointsWithTheNamesOfTicks) {
  Figure figure = figure_of("a, b");
  figure.panels.front().x.ticks = {{0, "t_inst"}};
  EXPECT_EQ(figure_csv(figure),
            "panel,series,x,y,low,high\n\"a, b\",\"a, b\",t_inst,1,0.5,1.5\n\"a, b\",\"a, "
            "b\",1,2,1.5,2.5\n\"a, b\",chance,,1,,\n");
}

TEST(TextPlot, DrawsALetterALineAndNamesIt) {
  const std::string text = text_plot(figure_of("s").panels.front());
  EXPECT_THAT(text, HasSubstr("A s"));
  EXPECT_THAT(text, HasSubstr("A."));   // joined
  EXPECT_THAT(text, HasSubstr("---"));  // the reference
  EXPECT_EQ(text_plot({.heat = HeatMap{}}), "");
}

}  // namespace
}  // namespace hrt
