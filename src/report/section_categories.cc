#include <fmt/format.h>

#include <algorithm>

#include "layout.h"
#include "numbers.h"
#include "sections.h"

namespace hrt {
namespace {

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> found;
  for (const Json& item : list) found.push_back(item.get<std::string>());
  return found;
}

// The cosines of all pairs, categories in clustered order.
Figure heat_figure(const RunFolder& run, const std::string& direction, const Json& of_direction) {
  std::vector<std::string> names;
  for (const Json& category : of_direction.at("categories"))
    names.push_back(category.at("name").get<std::string>());
  const std::vector<std::string> order = texts(of_direction.at("order"));
  HeatMap heat{.from = 1, .to = 1};
  for (const std::string& row : order) {
    const auto r = std::ranges::find(names, row) - names.begin();
    std::vector<std::optional<double>> values;
    for (const std::string& column : order) {
      const auto c = std::ranges::find(names, column) - names.begin();
      values.push_back(
          number_of(of_direction.at("cosines")[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)]));
      if (values.back()) heat.from = std::min(heat.from, std::floor(*values.back() * 10 - 0.01) / 10);
    }
    heat.values.push_back(std::move(values));
    heat.rows.push_back(shown(row));
    heat.columns.push_back(shown(row));
  }
  Figure figure{.name = run.name() + "_" + direction,
                .title = fmt::format("Cosines of the categories' {} directions", direction)};
  figure.panels.push_back({.title = fmt::format("{} directions", direction), .heat = std::move(heat)});
  std::size_t longest = 0;
  for (const std::string& name : order) longest = std::max(longest, axis_name(shown(name)).size());
  figure.panel_height = 1.2 + 0.55 * static_cast<double>(order.size()) + 0.1 * static_cast<double>(longest);
  figure.caption = fmt::format(
      "Mean cosine over all rows but row 0, categories in clustered order. Mean of all pairs: {:.2f}.",
      number_of(of_direction.at("mean")).value_or(0));
  return figure;
}

// Each category's mean cosine with the others, beside the ceiling that noise leaves.
Figure means_figure(const RunFolder& run) {
  Panel panel{.x = {.title = "mean cosine with the others"}, .y = {}};
  const Json* first = nullptr;
  for (const char* direction : {"harmfulness", "refusal"}) {
    if (!run.results.contains(direction) || !run.results.at(direction).contains("categories")) continue;
    const Json& categories = run.results.at(direction).at("categories");
    if (first == nullptr) first = &categories;
    const bool harm = direction == std::string("harmfulness");
    const Colour colour = harm ? Colour::kVermillion : Colour::kBlue;
    Series means{harm ? "v_h" : "v_r", Mark::kIntervals, colour};
    Series ceilings{harm ? "v_h's ceiling" : "v_r's ceiling", Mark::kPoints, colour, true};
    for (const Json& category : categories) {
      const auto place = std::ranges::find_if(
          *first, [&](const Json& other) { return other.at("name") == category.at("name"); });
      const double y = static_cast<double>(first->end() - place) + (harm ? 0.15 : -0.15);
      const auto mean = number_of(category.at("mean_with_others"));
      if (mean)
        means.points.push_back(
            {*mean, y, number_of(category.value("low", Json())), number_of(category.value("high", Json()))});
      if (const auto ceiling = number_of(category.value("ceiling", Json())))
        ceilings.points.push_back({*ceiling, y});
    }
    panel.series.push_back(std::move(means));
    if (!ceilings.points.empty()) panel.series.push_back(std::move(ceilings));
  }
  Figure figure{.name = run.name(), .title = "How alike the categories' directions are"};
  if (first != nullptr) {
    for (std::size_t i = 0; i < first->size(); ++i)
      panel.y.ticks.emplace_back(static_cast<double>(first->size() - i),
                                 shown((*first)[i].at("name").get<std::string>()));
    panel.y.from = 0.4;
    panel.y.to = static_cast<double>(first->size()) + 0.6;
    figure.panel_height = 1.5 + 0.5 * static_cast<double>(first->size());
  }
  figure.panels.push_back(std::move(panel));
  figure.caption =
      "Bars: 95 % bootstrap intervals. The ceiling is what two directions of one category would reach (split "
      "halves, "
      "Spearman-Brown): a mean cosine near it says that only noise parts the category from the others.";
  return figure;
}

DataTable category_table(const std::string& direction, const Json& of_direction) {
  DataTable table{fmt::format("{} directions", direction),
                  {"category", "n", "mean with others [95 %]", "split halves", "ceiling"}};
  for (const Json& category : of_direction.at("categories")) {
    Json estimate = category;
    estimate["value"] = category.at("mean_with_others");
    const auto two = [&](const char* key) {
      const auto value = number_of(category.value(key, Json()));
      return value ? fmt::format("{:.2f}", *value) : std::string("-");
    };
    table.rows.push_back({shown(category.at("name").get<std::string>()),
                          category.contains("n") ? plain_number(category.at("n")) : "-", decimal(estimate),
                          two("split_half"), two("ceiling")});
  }
  return table;
}

}  // namespace

std::vector<Block> categories_blocks(RunFolder& run) {
  std::vector<Block> blocks{means_figure(run)};
  for (const char* direction : {"harmfulness", "refusal"}) {
    const Json of_direction = run.results.value(direction, Json::object());
    if (of_direction.contains("missing"))
      blocks.push_back(Paragraph{
          fmt::format("No {} directions: {}", direction, plain_number(of_direction.at("missing"))), true});
    if (!of_direction.contains("categories")) continue;
    blocks.push_back(heat_figure(run, direction, of_direction));
    blocks.push_back(category_table(direction, of_direction));
  }
  return blocks;
}

}  // namespace hrt
