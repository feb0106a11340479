#include "hrt/reproduce/claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hrt/base/error.h"
#include "hrt/base/known_keys.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

struct Relation {
  const char* name;
  const char* sign;
  bool (*holds)(double value, double bound);
  double side;  // a margin `by` moves the bound away from what would hold anyway
};
constexpr std::array kRelations{
    Relation{"above", ">", [](double v, double b) { return v > b; }, 1},
    Relation{"at_least", ">=", [](double v, double b) { return v >= b; }, 1},
    Relation{"below", "<", [](double v, double b) { return v < b; }, -1},
    Relation{"at_most", "<=", [](double v, double b) { return v <= b; }, -1},
};

const Relation* relation_of(const Json& spec) {
  const auto* found =
      std::ranges::find_if(kRelations, [&](const Relation& r) { return spec.contains(r.name); });
  return found == kRelations.end() ? nullptr : found;
}

// What a claim's measure is held against: another measure (a number is one without an interval), moved away
// by a margin.
struct Bound {
  Measured measured;
  double margin = 0;

  std::optional<double> limit() const {
    return measured.value ? std::optional(*measured.value + margin) : std::nullopt;
  }
};

Bound bound_of(const Json& spec, const Relation& relation, const Json& results) {
  if (!spec.is_number()) return {measure(spec, results), relation.side * spec.value("by", 0.0)};
  const double number = spec.get<double>();
  return {{.value = number, .low = number, .high = number}, 0};
}

// Whether the whole interval of the distance from the bound is on one side of it.
std::optional<bool> is_clear(const Measured& measured, const Bound& bound, const Relation& relation) {
  const Measured distance = difference(measured, bound.measured);
  if (!distance.low || !distance.high) return std::nullopt;
  return relation.holds(*distance.low, bound.margin) == relation.holds(*distance.high, bound.margin);
}

double scale_of(const std::string& unit) { return unit == "%" || unit == "points" ? 100 : 1; }

Measured scaled(Measured measured, double factor) {
  for (auto* number : {&measured.value, &measured.low, &measured.high}) {
    if (*number) **number *= factor;
  }
  return measured;
}

std::string_view fit_name(PublishedResult::Fit fit) {
  switch (fit) {
    case PublishedResult::Fit::kWithin:
      return "within";
    case PublishedResult::Fit::kOutside:
      return "outside";
    case PublishedResult::Fit::kNotMeasured:
      return "not measured";
    default:
      return "not comparable";
  }
}

// A published value, or a range of them, and our interval have something in common. Without an interval only
// the same number counts.
bool overlaps(const Measured& measured, const Json& published) {
  const double lowest = published.is_array() ? published[0].get<double>() : published.get<double>();
  const double highest = published.is_array() ? published[1].get<double>() : lowest;
  return measured.low.value_or(*measured.value) <= highest &&
         lowest <= measured.high.value_or(*measured.value);
}

bool is_published_value(const Json& value) {
  const auto number = [](const Json& n) { return n.is_number(); };
  return number(value) || (value.is_array() && value.size() == 2 && std::ranges::all_of(value, number));
}

Json json_or_null(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

}  // namespace

Json measured_json(const Measured& measured) {
  Json json{{"value", json_or_null(measured.value)},
            {"low", json_or_null(measured.low)},
            {"high", json_or_null(measured.high)},
            {"n", measured.n ? Json(*measured.n) : Json()}};
  if (measured.n) json["n_of"] = measured.n_of;
  if (!measured.taken.empty()) json.update({{"taken", measured.taken}, {"of", measured.of}});
  if (const std::string what = picked(measured); !what.empty()) json["picked"] = what;
  if (!measured.why.empty()) json["why"] = measured.why;
  return json;
}

ClaimResult check_claim(const Json& spec, const Json& results) {
  const Relation& relation = *relation_of(spec);
  ClaimResult result{.name = spec.at("name"),
                     .says = spec.at("says"),
                     .source = spec.at("source"),
                     .unit = spec.value("unit", ""),
                     .measured = measure(spec.at("measure"), results)};
  const Bound bound = bound_of(spec.at(relation.name), relation, results);
  const double scale = scale_of(result.unit);
  result.why = result.measured.why.empty() ? bound.measured.why : result.measured.why;
  if (const auto limit = bound.limit()) {
    result.needs = fmt::format("{} {:.4g}", relation.sign, *limit * scale);
    if (!result.unit.empty()) result.needs += " " + result.unit;
    const bool possible = result.unit != "%" || relation.holds(relation.side > 0 ? 1 : 0, *limit);
    if (!possible) result.why = fmt::format("no share is {}", result.needs);
    if (possible && result.measured.value) {
      result.holds = relation.holds(*result.measured.value, *limit);
      result.clear = is_clear(result.measured, bound, relation);
    }
  }
  result.measured = scaled(result.measured, scale);
  return result;
}

void check_claim_spec(const JsonObject& spec) {
  check_known_keys(spec,
                   {"name", "says", "source", "unit", "measure", "above", "at_least", "below", "at_most"});
  for (const char* key : {"name", "says", "source"}) spec.string(key);
  spec.string("unit", "");
  check_measure(spec.object("measure"));
  const auto bounds =
      std::ranges::count_if(kRelations, [&](const Relation& r) { return spec.raw().contains(r.name); });
  if (bounds != 1) throw InputError("{} needs one of above, at_least, below, at_most", spec.where("measure"));
  const Relation& relation = *relation_of(spec.raw());
  if (!spec.raw().at(relation.name).is_number()) check_measure(spec.object(relation.name));
}

Json ClaimResult::to_json() const {
  return {{"name", name},
          {"says", says},
          {"source", source},
          {"unit", unit},
          {"measured", measured_json(measured)},
          {"needs", needs},
          {"holds", holds ? Json(*holds) : Json()},
          {"clear", clear ? Json(*clear) : Json()},
          {"why", why.empty() ? Json() : Json(why)}};
}

PublishedResult compare_published(const Json& spec, const Json& results, const std::string& model) {
  PublishedResult result{.what = spec.at("what"),
                         .unit = spec.at("unit"),
                         .source = spec.at("source"),
                         .values = spec.at("values"),
                         .measured = {}};
  result.measured = scaled(measure(spec.at("measure"), results), scale_of(result.unit));
  using Fit = PublishedResult::Fit;
  if (!result.values.contains(model)) return result;
  result.fit = !result.measured.value                               ? Fit::kNotMeasured
               : overlaps(result.measured, result.values.at(model)) ? Fit::kWithin
                                                                    : Fit::kOutside;
  return result;
}

void check_published_spec(const JsonObject& spec) {
  check_known_keys(spec, {"what", "unit", "source", "values", "measure"});
  for (const char* key : {"what", "unit", "source"}) spec.string(key);
  check_measure(spec.object("measure"));
  const JsonObject values = spec.object("values");
  for (const auto& [model, value] : values.raw().items()) {
    if (!is_published_value(value))
      throw InputError("{}: expected a number or [lowest, highest]", values.where(model));
  }
}

Json PublishedResult::to_json() const {
  return {{"what", what},
          {"unit", unit},
          {"values", values},
          {"source", source},
          {"measured", measured_json(measured)},
          {"verdict", fit_name(fit)}};
}

}  // namespace hrt
