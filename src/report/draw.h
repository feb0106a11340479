#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "figure.h"

namespace hrt {

// Whether gnuplot can be run.
bool have_gnuplot();

// Draws figures into `folder`, as NAME.svg, NAME.pdf and NAME.png. Throws RunError when gnuplot fails.
void draw(const std::vector<Figure>& figures, const std::vector<std::string>& formats,
          const std::filesystem::path& folder);

}  // namespace hrt
