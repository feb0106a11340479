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

std::optional<Label> label_by_name(std::string_view name) {
  for (const Label label : {Label::kHarmful, Label::kHarmless}) {
    if (name == label_name(label)) return label;
  }
  return std::nullopt;
}

std::optional<Outcome> outcome_by_name(std::string_view name) {
  for (const Outcome outcome : {Outcome::kRefused, Outcome::kAccepted}) {
    if (name == outcome_name(outcome)) return outcome;
  }
  return std::nullopt;
}

}  // namespace hrt
