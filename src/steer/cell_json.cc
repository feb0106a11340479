#include "cell_names.h"
#include "hrt/steer/cells.h"

namespace hrt {
namespace {

Json intervention_json(const Intervention& intervention) {
  Json sites = Json::array();
  for (const Site site : intervention.sites) sites.push_back(name_of(kSites, site));
  return {{"direction", intervention.direction},
          {"random_seed", intervention.random ? Json(*intervention.random) : Json()},
          {"row", intervention.row ? Json(*intervention.row) : Json()},
          {"op", op_name(intervention.op)},
          {"scale", name_of(kScales, intervention.scale)},
          {"coefficient", intervention.coefficient},
          {"reference", intervention.reference.empty() ? Json() : Json(intervention.reference)},
          {"layers", intervention.layers},
          {"sites", sites},
          {"scope", scope_name(intervention.scope)}};
}

Intervention intervention_from_json(const Json& json) {
  Intervention intervention;
  intervention.direction = json.at("direction");
  if (!json.at("random_seed").is_null()) intervention.random = json.at("random_seed").get<std::uint64_t>();
  if (!json.at("row").is_null()) intervention.row = json.at("row").get<std::int64_t>();
  intervention.op = find_by_name(kOps, json.at("op"), "op");
  intervention.scale = find_by_name(kScales, json.at("scale"), "scale");
  intervention.coefficient = json.at("coefficient");
  if (!json.at("reference").is_null()) intervention.reference = json.at("reference");
  intervention.layers = json.at("layers").get<std::vector<std::int64_t>>();
  for (const Json& site : json.at("sites")) intervention.sites.push_back(find_by_name(kSites, site, "site"));
  intervention.scope = find_by_name(kScopes, json.at("scope"), "scope");
  return intervention;
}

Json condition_json(const Condition& when) {
  return {{"rows", when.rows}, {when.above ? "above" : "below", when.threshold}};
}

Condition condition_from_json(const Json& json) {
  const bool above = json.contains("above");
  return {json.at("rows").get<std::vector<std::int64_t>>(), json.at(above ? "above" : "below"), above};
}

}  // namespace

Json cell_to_json(const Cell& cell) {
  Json json{{"name", cell.name}};
  if (cell.is_baseline()) return json;
  json["sweep"] = cell.sweep;
  json["control"] = cell.control_of.has_value();
  for (const Intervention& intervention : cell.interventions)
    json["interventions"].push_back(intervention_json(intervention));
  if (cell.when) json["when"] = condition_json(*cell.when);
  return json;
}

Cell cell_from_json(const Json& json) {
  Cell cell;
  cell.name = json.at("name");
  if (!json.contains("interventions")) return cell;
  cell.sweep = json.at("sweep");
  for (const Json& intervention : json.at("interventions"))
    cell.interventions.push_back(intervention_from_json(intervention));
  if (json.contains("when")) cell.when = condition_from_json(json.at("when"));
  return cell;
}

}  // namespace hrt
