#include "hrt/data/outcome.h"

namespace hrt {

std::string_view label_name(Label label) {
  switch (label) {
    case Label::kHarmful:
      return "harmful";
    case Label::kHarmless:
      return "harmless";
    case Label::kNone:
      break;
  }
  return "";
}

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kRefused:
      return "refused";
    case Outcome::kAccepted:
      return "accepted";
    case Outcome::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace hrt
