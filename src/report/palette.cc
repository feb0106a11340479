#include "palette.h"

namespace hrt {

std::string hex(Colour colour) {
  switch (colour) {
    case Colour::kInk:
      return "#1b1e24";
    case Colour::kGrey:
      return "#7a7f87";
    case Colour::kVermillion:
      return "#d55e00";
    case Colour::kOrange:
      return "#e69f00";
    case Colour::kBlue:
      return "#0072b2";
    case Colour::kSky:
      return "#56b4e9";
    case Colour::kGreen:
      return "#009e73";
    case Colour::kPurple:
      return "#cc79a7";
  }
  return "#1b1e24";
}

}  // namespace hrt
