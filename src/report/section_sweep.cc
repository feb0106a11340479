#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "hrt/base/strings.h"
#include "numbers.h"
#include "sections.h"
#include "sweep_cells.h"
#include "sweep_figure.h"

namespace hrt {
namespace {

bool by_layer(const SweepCells& sweep) {
  std::set<double> layers;
  for (const SweptCell& cell : sweep.steered) {
    if (cell.layer) layers.insert(*cell.layer);
  }
  return layers.size() > 1;
}

std::string band_text(const Json& result) {
  const auto low = number_at(result, "/control_band/lowest/value");
  const auto high = number_at(result, "/control_band/highest/value");
  return low && high ? fmt::format("{:.0f} to {:.0f}", *low * 100, *high * 100) : "-";
}

std::string compact(const std::optional<double>& value) {
  return value ? fmt::format("{:.2g}", *value) : "-";
}

// Replies that are empty or end in a loop.
struct Degenerate {
  std::int64_t count = 0;
  std::int64_t n = 0;

  bool most() const { return 2 * count > n; }
  std::string text() const { return n > 0 ? fmt::format("{} of {}", count, n) : "-"; }
};

// Of the cell's result, or of its control band.
Degenerate degenerate_in(const Json& replies) {
  return {replies.value("empty", std::int64_t{0}) + replies.value("looping", std::int64_t{0}),
          replies.value("n", std::int64_t{0})};
}

Degenerate degenerate_controls(const Json& result) {
  return result.contains("control_band") ? degenerate_in(result.at("control_band")) : Degenerate{};
}

std::vector<std::string> table_row(const SweptCell& cell, bool inversion) {
  const Json& result = *cell.json;
  std::vector<std::string> row{cell_label(cell), cell.layer ? fmt::format("{:.0f}", *cell.layer) : "-",
                               shown(cell.set), fmt::format("{}", result.value("n", 0)),
                               percent(cell.rate())};
  if (inversion) {
    const auto neither = neither_of(cell);
    row.push_back(neither ? fmt::format("{:.1f}", *neither) : "-");
  }
  for (std::string& text :
       std::vector{band_text(result), compact(number_at(result, "/changed/mcnemar_p")),
                   compact(number_at(result, "/kl/value")), fmt::format("{}", degenerate_in(result).count),
                   degenerate_controls(result).text()})
    row.push_back(std::move(text));
  return row;
}

// Without the columns that say nothing of any of its rows.
DataTable without_empty_columns(DataTable table) {
  for (std::size_t c = table.columns.size(); c-- > 0;) {
    if (!std::ranges::all_of(table.rows, [&](const auto& row) { return row[c] == "-"; })) continue;
    const auto place = static_cast<std::ptrdiff_t>(c);
    table.columns.erase(table.columns.begin() + place);
    for (auto& row : table.rows) row.erase(row.begin() + place);
  }
  return table;
}

DataTable cell_table(const std::string& caption, const std::vector<SweptCell>& cells, const Json& results) {
  DataTable table{caption, {"cell", "layer", "prompts", "n", rate_title(results) + " [95 %]"}};
  const bool inversion = is_inversion(results);
  if (inversion) table.columns.emplace_back("neither, %");
  for (const char* column : {"random, %", "McNemar p", "KL", "degenerate", "degenerate, random"})
    table.columns.emplace_back(column);
  for (const SweptCell& cell : cells) table.rows.push_back(table_row(cell, inversion));
  return without_empty_columns(std::move(table));
}

// A band of controls that broke the text is no measure of what a direction of that norm does to a decision.
std::vector<Block> degenerate_warnings(const SweepCells& sweep) {
  std::vector<SweptCell> cells = sweep.baseline;
  cells.insert(cells.end(), sweep.steered.begin(), sweep.steered.end());
  const auto count = [&](auto degenerate) {
    return std::ranges::count_if(cells, [&](const SweptCell& cell) { return degenerate(*cell.json).most(); });
  };
  const auto all = std::ssize(cells);
  std::vector<Block> blocks;
  constexpr double kMost = 50;  // %
  if (const auto other = std::ranges::count_if(
          cells, [](const SweptCell& cell) { return neither_of(cell).value_or(0) > kMost; });
      other > 0)
    blocks.push_back(Paragraph{
        fmt::format(
            "In {} of {} cells most answers are neither yes nor no: fewer of one there are not more of "
            "the other.",
            other, all),
        true});
  if (const auto broken = count(degenerate_in); broken > 0)
    blocks.push_back(
        Paragraph{fmt::format("In {} of {} cells most replies are degenerate (empty, or ending in a loop).",
                              broken, all),
                  true});
  if (const auto broken = count(degenerate_controls); broken > 0)
    blocks.push_back(Paragraph{
        fmt::format(
            "In {} of {} cells most replies of the random controls are degenerate (empty, or ending in "
            "a loop): their rates say little about a direction of that norm.",
            broken, all),
        true});
  return blocks;
}

// Of each line over layers, where it reaches highest and lowest.
std::vector<SweptCell> extremes(const SweepCells& sweep) {
  std::map<std::string, std::vector<SweptCell>> lines;
  for (const SweptCell& cell : sweep.steered) {
    if (number_at(cell.rate(), "/value")) lines[cell.sweep + cell.scope + line_name(cell)].push_back(cell);
  }
  std::vector<SweptCell> found;
  const auto value = [](const SweptCell& cell) { return *number_at(cell.rate(), "/value"); };
  for (const auto& [key, line] : lines) {
    const auto lowest = std::ranges::min_element(line, {}, value);
    const auto highest = std::ranges::max_element(line, {}, value);
    found.push_back(*highest);
    if (lowest != highest) found.push_back(*lowest);
  }
  return found;
}

std::vector<Block> not_applicable(const Json& results, const SweepCells& sweep) {
  return {Paragraph{fmt::format("Not applicable: {}.",
                                results.value("reason", "the unsteered answers do not separate")),
                    true},
          cell_table("Unsteered answers", sweep.baseline, results)};
}

}  // namespace

std::vector<Block> sweep_blocks(RunFolder& run) {
  const Json& results = run.results;
  const SweepCells sweep = read_sweep(results);
  if (!results.value("applies", true)) return not_applicable(results, sweep);
  std::vector<Block> blocks;
  const bool layers = by_layer(sweep);
  if (results.contains("auroc_of_answers"))
    blocks.push_back(Paragraph{
        fmt::format("The unsteered answers tell harmful from harmless prompts: AUROC {} (n = {}).",
                    decimal(results.at("auroc_of_answers")), count_of(results.at("auroc_of_answers")))});
  std::ranges::move(degenerate_warnings(sweep), std::back_inserter(blocks));
  blocks.push_back(layers ? layer_figure(run, sweep) : cell_figure(run, sweep));
  blocks.push_back(cell_table("Unsteered", sweep.baseline, results));
  if (layers) {
    blocks.push_back(cell_table("Where each line is highest and lowest (picked after the fact)",
                                extremes(sweep), results));
    blocks.push_back(collapsed("All cells", {cell_table("", sweep.steered, results)}));
  } else if (!sweep.steered.empty()) {
    blocks.push_back(cell_table("Steered", sweep.steered, results));
  }
  return blocks;
}

}  // namespace hrt
