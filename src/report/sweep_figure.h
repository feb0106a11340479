#pragma once

#include "figure.h"
#include "run_folder.h"
#include "sweep_cells.h"

namespace hrt {

// Rates over layers, a panel each sweep and scope with the band of its random controls; of more than eight,
// as over categories, a heat map.
Figure layer_figure(const RunFolder& run, const SweepCells& sweep);

// Few cells: a row each, with its control band.
Figure cell_figure(const RunFolder& run, const SweepCells& sweep);

}  // namespace hrt
