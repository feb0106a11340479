#include <fmt/format.h>

#include "layout.h"
#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

Panel target_panel(const std::string& target, const Json& of_target) {
  Panel panel{.title = fmt::format("{} (n = {})", target, plain_number(of_target.at("n"))),
              .x = {.title = "row", .whole = true},
              .y = {.title = "AUROC", .to = 1.02}};
  std::size_t number = 0;
  for (const auto& [position, rows] : of_target.at("positions").items()) {
    const Colour colour = number++ == 0 ? Colour::kVermillion : Colour::kBlue;
    Series logistic{position + ", logistic", Mark::kLine, colour};
    Series means{position + ", difference of means", Mark::kLine, colour, true};
    for (const Json& row : rows) {
      const double x = row.at("row").get<double>();
      if (const auto point = point_of(x, row.at("logistic").at("auroc"))) logistic.points.push_back(*point);
      if (const auto point = point_of(x, row.at("difference_of_means").at("auroc")))
        means.points.push_back({point->x, point->y});
    }
    panel.series.push_back(std::move(logistic));
    panel.series.push_back(std::move(means));
  }
  panel.references.push_back({0.5, "chance"});
  if (const auto words = number_at(of_target, "/words/auroc/value")) {
    const Range rows = x_range(panel);
    panel.series.push_back(
        {"words alone", Mark::kOutline, Colour::kGrey, true, {{rows.from, *words}, {rows.to, *words}}});
  }
  return panel;
}

DataTable best_table(const Json& targets) {
  DataTable table{"Accuracy [95 %] by probe; the best row, picked after the fact",
                  {"target", "position", "n", "words alone", "logistic", "difference of means"}};
  for (const auto& [target, of_target] : targets.items()) {
    for (const auto& [position, rows] : of_target.at("positions").items()) {
      const auto best = [&](const char* probe) {
        const Json* found = nullptr;
        for (const Json& row : rows) {
          const Json& accuracy = row.at(probe).at("accuracy");
          if (found == nullptr ||
              number_at(accuracy, "/value").value_or(0) > number_at(*found, "/value").value_or(0))
            found = &accuracy;
        }
        return found == nullptr ? std::string("-") : percent(*found);
      };
      table.rows.push_back({target, position, plain_number(of_target.at("n")),
                            percent(of_target.at("words").at("accuracy")), best("logistic"),
                            best("difference_of_means")});
    }
  }
  return table;
}

}  // namespace

std::vector<Block> linear_blocks(RunFolder& run) {
  Figure figure{.name = run.name(), .title = "What linear probes tell, by row", .panel_height = 5};
  for (const auto& [target, of_target] : run.results.at("targets").items())
    figure.panels.push_back(target_panel(target, of_target));
  figure.caption = fmt::format(
      "AUROC of probes that were fitted to other folds ({} folds); band: 95 % interval of the logistic "
      "probe; grey: a "
      "probe on words and word pairs alone, on the same folds.",
      plain_number(run.results.at("folds")));
  return {figure, best_table(run.results.at("targets"))};
}

}  // namespace hrt
