#pragma once

#include <string>

#include "figure.h"

namespace hrt {

// "#0072b2": the palette of Okabe and Ito, which colour-blind people can tell apart, and an ink.
std::string hex(Colour colour);

}  // namespace hrt
