#pragma once

#include <filesystem>
#include <string>

#include "figure.h"

namespace hrt {

// gnuplot's commands that draw a figure for one terminal: "svg", "pdf" or "png" (300 dpi), to `file`.
// Whatever the figure's texts hold, they are text to gnuplot.
std::string gnuplot_script(const Figure& figure, const std::string& format,
                           const std::filesystem::path& file);

}  // namespace hrt
