#include "sweep_cells.h"

#include <fmt/format.h>

#include <map>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "numbers.h"

namespace hrt {

bool is_inversion(const Json& results) { return results.value("task", "reply") == "inversion"; }

std::string rate_title(const Json& results) { return is_inversion(results) ? "\"No\", %" : "refused, %"; }

std::optional<double> neither_of(const SweptCell& cell) {
  const auto count = number_at(*cell.json, "/counts/other");
  const auto n = number_at(*cell.json, "/n");
  return count && n && *n > 0 ? std::optional(*count / *n * 100) : std::nullopt;
}

std::string cell_label(const SweptCell& cell) {
  if (cell.sweep.empty() && cell.scope.empty()) return "unsteered";
  return cell.sweep + (cell.sweep.empty() || cell.scope.empty() ? "" : ", ") + shown(cell.scope);
}

std::string line_name(const SweptCell& cell) {
  return fmt::format("c = {}, {}", cell.coefficient.value_or(1), shown(cell.set));
}

SweepCells read_sweep(const Json& results) {
  std::map<std::string, const Json*> cells;
  for (const Json& cell : results.at("cells")) cells[cell.at("name").get<std::string>()] = &cell;
  SweepCells sweep;
  for (const Json& result : results.at("results")) {
    const auto found = cells.find(result.at("cell").get<std::string>());
    if (found == cells.end())
      throw InputError("results.json: /cells: none is \"{}\"",
                       escape_for_terminal(result.at("cell").get<std::string>()));
    const Json& known = *found->second;
    SweptCell cell{&result, known.value("sweep", ""), "", {}, {}, result.at("set").get<std::string>()};
    if (!known.contains("interventions") || known.at("interventions").empty()) {
      sweep.baseline.push_back(cell);
      continue;
    }
    if (known.value("control", false)) continue;
    const Json& intervention = known.at("interventions").front();
    cell.scope = intervention.at("scope").get<std::string>();
    cell.coefficient = number_at(intervention, "/coefficient");
    if (intervention.at("layers").size() == 1) cell.layer = intervention.at("layers").front().get<double>();
    sweep.steered.push_back(cell);
  }
  return sweep;
}

}  // namespace hrt
