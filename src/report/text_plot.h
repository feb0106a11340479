#pragma once

#include <string>

#include "figure.h"

namespace hrt {

// A panel's lines for a terminal: about 70 columns by 16 lines, a letter a line, which the legend names.
// Empty where the panel holds no lines.
std::string text_plot(const Panel& panel);

}  // namespace hrt
