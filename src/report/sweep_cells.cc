#include "sweep_cells.h"

#include <map>

#include "numbers.h"

namespace hrt {

SweepCells read_sweep(const Json& results) {
  std::map<std::string, const Json*> cells;
  for (const Json& cell : results.at("cells")) cells[cell.at("name").get<std::string>()] = &cell;
  SweepCells sweep;
  for (const Json& result : results.at("results")) {
    const Json& known = *cells.at(result.at("cell").get<std::string>());
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
