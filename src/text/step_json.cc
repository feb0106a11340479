#include "step_json.h"

#include <fmt/ranges.h>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

void flatten(const Json& value, const std::string& origin, const std::string& pointer,
             const std::string& members, std::vector<StepJson>& steps) {
  const JsonObject fields(value, origin, pointer);
  const std::string type = fields.string("type");
  if (type != "Sequence") {
    steps.push_back({type, fields, pointer});
    return;
  }
  const Json* list = fields.find(members);
  if (list == nullptr || !list->is_array()) throw InputError("{} must be an array", fields.where(members));
  for (std::size_t i = 0; i < list->size(); ++i) {
    flatten((*list)[i], origin, fmt::format("{}/{}/{}", pointer, members, i), members, steps);
  }
}

}  // namespace

void StepJson::refuse_type(const std::vector<std::string>& known) const {
  throw InputError("{}: \"{}\" is not supported (supported: {})", fields.where("type"),
                   escape_for_terminal(type), fmt::join(known, ", "));
}

void StepJson::refuse_value(std::string_view key, std::string_view supported) const {
  const Json* value = fields.find(key);
  throw InputError("{}: {} is not supported (supported: {})", fields.where(key),
                   value == nullptr ? "null" : escape_for_terminal(to_line(*value)), supported);
}

std::vector<StepJson> read_steps(const JsonObject& file, const std::string& key, const std::string& members) {
  std::vector<StepJson> steps;
  if (const Json* value = file.find(key)) flatten(*value, file.origin(), "/" + key, members, steps);
  return steps;
}

}  // namespace hrt
