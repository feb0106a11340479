#pragma once

#include <string>

#include "figure.h"

namespace hrt {

// All that a figure shows: panel, series, x (a tick's name where it has one), y, low, high; of a heat map
// panel, row, column, value.
std::string figure_csv(const Figure& figure);

}  // namespace hrt
