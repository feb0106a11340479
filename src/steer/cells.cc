#include "hrt/steer/cells.h"

#include <algorithm>
#include <set>

#include "cell_names.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/config_keys.h"
#include "hrt/experiment/direction_source.h"

namespace hrt {
namespace {

bool needs_question(Scope scope) {
  return scope == Scope::kBeforeQuestion || scope == Scope::kUserBeforeQuestion;
}

// A sweep, or an intervention beside one, with what the config says for all of them.
Json with_defaults(const Json& entry, const Json& config, const std::vector<KeySpec>& keys) {
  Json whole = Json::object();
  for (const KeySpec& key : keys) {
    const bool own = entry.contains(key.name) && !entry.at(key.name).is_null();
    whole[key.name] = own                         ? entry.at(key.name)
                      : config.contains(key.name) ? config.at(key.name)
                                                  : key.fallback;
  }
  return whole;
}

std::vector<Site> sites_of(const Json& names, Op op) {
  std::vector<Site> sites;
  if (names.is_null() && op == Op::kAblate)
    return {Site::kBlockInput, Site::kAttentionOutput, Site::kMlpOutput};
  if (names.is_null()) return {Site::kBlockInput};
  for (const Json& name : names) sites.push_back(find_by_name(kSites, name.get<std::string>(), "site"));
  return sites;
}

// What does not vary within a sweep.
Intervention make_intervention(const Json& entry, std::int64_t layers) {
  Intervention intervention;
  if (entry.at("direction").is_null()) throw InputError("no direction: which one is swept?");
  intervention.direction = entry.at("direction");
  intervention.row = optional_value<std::int64_t>(entry, "row");
  intervention.op = find_by_name(kOps, entry.at("op").get<std::string>(), "op");
  intervention.scale = find_by_name(kScales, entry.at("scale").get<std::string>(), "scale");
  if (intervention.op == Op::kAffine && entry.at("reference").is_null()) {
    throw InputError("op affine needs a reference: a centroid such as harmless.t_inst");
  }
  if (!entry.at("reference").is_null()) intervention.reference = entry.at("reference");
  intervention.layers = resolve_layers(entry.at("layers"), layers);
  intervention.sites = sites_of(entry.at("sites"), intervention.op);
  return intervention;
}

std::optional<Condition> make_condition(const Json& when, std::int64_t rows) {
  if (when.is_null()) return std::nullopt;
  Condition condition;
  condition.rows = resolve_layers(when.at("rows"), rows);
  condition.above = when.contains("above");
  condition.threshold = when.at(condition.above ? "above" : "below");
  return condition;
}

std::string layers_text(const std::vector<std::int64_t>& layers, std::int64_t count) {
  if (std::cmp_equal(layers.size(), count)) return "all layers";
  if (layers.size() == 1) return fmt::format("layer {}", layers.front());
  return fmt::format("layers {}", to_line(Json(layers)));
}

std::string coefficient_text(const Intervention& intervention) {
  if (intervention.op == Op::kAblate || intervention.op == Op::kAffine) return "";
  return fmt::format(" {:+g}", intervention.coefficient);
}

// One sweep's cells.
class Sweep {
 public:
  Sweep(const Json& entry, const Json& config, std::int64_t layers)
      : entry_(with_defaults(entry, config, sweep_keys())), layers_(layers) {
    const bool inversion = config.at("task") == "inversion";
    base_ = make_intervention(entry_, layers);
    const bool together =
        optional_value<bool>(entry_, "together").value_or(base_.op == Op::kAblate || base_.op == Op::kAffine);
    if (together) layer_sets_ = {base_.layers};
    for (const std::int64_t layer : base_.layers) {
      if (!together) layer_sets_.push_back({layer});
    }
    for (const Json& scope : entry_.at("scope"))
      scopes_.push_back(parse_scope(scope.get<std::string>(), inversion));
    seeds_ = entry_.at("controls").get<std::uint64_t>();
    when_ = make_condition(entry_.at("when"), layers + 1);
    for (const Json& also : entry_.at("also")) also_.push_back(make_companion(also, config, inversion));
    const bool coefficients_count = base_.op == Op::kAdd || base_.op == Op::kClamp;
    coefficients_ =
        coefficients_count ? entry_.at("coef").get<std::vector<double>>() : std::vector<double>{1};
  }

  void append_to(std::vector<Cell>& cells) const {
    for (const Scope scope : scopes_) {
      for (const double coefficient : coefficients_) {
        for (const auto& set : layer_sets_) add_cell(cells, scope, coefficient, set);
      }
    }
  }

 private:
  Intervention make_companion(const Json& also, const Json& config, bool inversion) const {
    Intervention companion = make_intervention(with_defaults(also, config, intervention_keys()), layers_);
    const Json& scope = also.contains("scope") ? also.at("scope") : Json("instruction");
    companion.scope = parse_scope(scope.get<std::string>(), inversion);
    companion.coefficient = also.contains("coef") ? also.at("coef").get<double>() : 1.0;
    return companion;
  }

  std::string name() const {
    const Json& name = entry_.at("name");
    if (!name.is_null()) return name;
    const DirectionName direction = split_direction(base_.direction);
    return fmt::format("{} {}", direction.name.empty() ? direction.path.stem().string() : direction.name,
                       op_name(base_.op));
  }

  void add_cell(std::vector<Cell>& cells, Scope scope, double coefficient,
                const std::vector<std::int64_t>& layers) const {
    Cell cell;
    cell.sweep = name();
    cell.interventions = {base_};
    cell.interventions.insert(cell.interventions.end(), also_.begin(), also_.end());
    Intervention& swept = cell.interventions.front();
    swept.scope = scope;
    swept.coefficient = coefficient;
    swept.layers = layers;
    cell.name = fmt::format("{}{}, {}, {}", name(), coefficient_text(swept), scope_name(scope),
                            layers_text(layers, layers_));
    cell.when = when_;
    cell.on = entry_.at("on").get<std::vector<std::string>>();
    const std::size_t steered = cells.size();
    cells.push_back(cell);
    for (std::uint64_t seed = 1; seed <= seeds_; ++seed) {
      cells.push_back(cell);
      cells.back().interventions.front().random = seed;
      cells.back().name = fmt::format("{}, random {}", cell.name, seed);
      cells.back().control_of = steered;
    }
  }

  Json entry_;
  std::int64_t layers_;
  Intervention base_;
  std::vector<std::vector<std::int64_t>> layer_sets_;
  std::vector<Scope> scopes_;
  std::vector<double> coefficients_;
  std::vector<Intervention> also_;
  std::optional<Condition> when_;
  std::uint64_t seeds_ = 0;
};

// One sweep for each category where the direction ends in ":*".
std::vector<Json> by_category(const Json& sweep, const std::vector<std::string>& categories,
                              const std::string& place) {
  const std::string direction = sweep.value("direction", "");
  if (!direction.ends_with(":*")) return {sweep};
  if (categories.empty()) {
    throw InputError("{}direction {}: the extraction's prompts have no categories", place, direction);
  }
  std::vector<Json> sweeps;
  for (const std::string& category : categories) {
    Json& one = sweeps.emplace_back(sweep);
    one["direction"] = direction.substr(0, direction.size() - 1) + category;
    one["name"] =
        fmt::format("{}: {}", sweep.value("name", direction.substr(0, direction.size() - 2)), category);
    for (Json& on : one["on"]) {
      if (on == "*") on = category;
    }
  }
  return sweeps;
}

void add_sweep(std::vector<Cell>& cells, const Json& entry, const Json& config, std::int64_t layers,
               const std::string& place) {
  try {
    Sweep(entry, config, layers).append_to(cells);
  } catch (const InputError& error) {
    throw InputError("{}{}", place, error.what());
  }
}

// Replies and results are told apart by the names of their cells.
void check_names(const std::vector<Cell>& cells) {
  std::set<std::string> names;
  for (const Cell& cell : cells) {
    if (!names.insert(cell.name).second)
      throw InputError("config: /sweeps: two cells are \"{}\": give one of the sweeps a name",
                       escape_for_terminal(cell.name));
  }
}

}  // namespace

std::string_view scope_name(Scope scope) { return name_of(kScopes, scope); }

Scope parse_scope(const std::string& name, bool inversion) {
  const Scope scope = find_by_name(kScopes, name, "scope");
  if (needs_question(scope) && !inversion) throw InputError("scope {} needs --task inversion", name);
  return scope;
}

TokenSpan tokens_of(Scope scope, const TemplatedPrompt& prompt) {
  const auto count = static_cast<std::int64_t>(prompt.ids.size());
  const std::int64_t question = prompt.question ? prompt.question->begin : 0;
  switch (scope) {
    case Scope::kInstruction:
      return {prompt.instruction->begin, prompt.instruction->end};
    case Scope::kPostInstruction:
      return {prompt.question ? prompt.question->end : prompt.instruction->end, count};
    case Scope::kTInst:
      return {*prompt.t_inst, *prompt.t_inst + 1};
    case Scope::kPrompt:
      return {0, count};
    case Scope::kAll:
      return {0, TokenSpan::kToTheEnd};
    case Scope::kBeforeQuestion:
      return {0, question};
    case Scope::kUserBeforeQuestion:
      return {std::min(prompt.user_begin, question), question};
  }
  return {};
}

std::string_view op_name(Op op) { return name_of(kOps, op); }

std::optional<std::int64_t> Cell::layer() const {
  if (is_baseline() || interventions.front().layers.size() != 1) return std::nullopt;
  return interventions.front().layers.front();
}

std::vector<Cell> make_cells(const Json& config, std::int64_t layers,
                             const std::vector<std::string>& categories) {
  std::vector<Cell> cells(1);
  cells.front().name = "baseline";
  const Json& sweeps = config.at("sweeps");
  for (std::size_t i = 0; i < sweeps.size(); ++i) {
    const std::string place = fmt::format("config: /sweeps/{}: ", i);
    for (const Json& sweep : by_category(sweeps[i], categories, place))
      add_sweep(cells, sweep, config, layers, place);
  }
  if (sweeps.empty() && !config.at("direction").is_null())
    add_sweep(cells, Json::object(), config, layers, "");
  check_names(cells);
  return cells;
}

std::int64_t first_layer(const Cell& cell) {
  std::int64_t first = cell.interventions.front().layers.front();
  for (const Intervention& intervention : cell.interventions) {
    first = std::min(first, std::ranges::min(intervention.layers));
  }
  return first;
}

bool is_on(const Cell& cell, const PromptRecord& record) {
  const auto names = [&](const std::string& name) {
    return name == label_name(record.label) || name == record.role || name == record.set ||
           (name == record.category && record.label == Label::kHarmful);
  };
  return cell.on.empty() || std::ranges::any_of(cell.on, names);
}

}  // namespace hrt
