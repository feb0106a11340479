#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "figure.h"

namespace hrt {

// "#0072b2": the palette of Okabe and Ito, which colour-blind people can tell apart, and an ink.
std::string hex(Colour colour);

// gnuplot's commands that draw a figure for one terminal: "svg", "pdf" or "png" (300 dpi), to `file`.
std::string gnuplot_script(const Figure& figure, const std::string& format,
                           const std::filesystem::path& file);

// Whether gnuplot can be run.
bool have_gnuplot();

// Draws figures into `folder`, as NAME.svg, NAME.pdf and NAME.png. Throws RunError when gnuplot fails.
void draw(const std::vector<Figure>& figures, const std::vector<std::string>& formats,
          const std::filesystem::path& folder);

}  // namespace hrt
