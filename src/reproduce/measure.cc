#include "hrt/reproduce/measure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "hrt/base/error.h"
#include "hrt/base/known_keys.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

using Pointer = Json::json_pointer;

const std::vector<std::string> kTakes{"only",  "max",           "min",          "mean",
                                      "count", "share_above_0", "share_below_0"};
const std::vector<std::string> kConditions{"from", "to", "above", "below", "not"};

std::optional<double> number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::optional<std::int64_t> count_in(const Json& object) {
  const auto of = [&](const char* key) -> std::optional<std::int64_t> {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
  };
  const auto positives = of("positives");
  const auto negatives = of("negatives");
  if (positives && negatives) return *positives + *negatives;
  return of("n");
}

// A number with its interval, as it stands in every results.json.
Measured read_number(const Json& place, const std::string& pointer) {
  const Pointer at(pointer);
  Measured measured;
  if (!place.contains(at)) {
    measured.why = fmt::format("the results have no {}", pointer);
    return measured;
  }
  const Json& found = place.at(at);
  if (found.is_number()) {
    measured.value = found.get<double>();
  } else if (found.is_object()) {
    measured.value = number_in(found, "value");
    measured.low = number_in(found, "low");
    measured.high = number_in(found, "high");
    measured.n = count_in(found);
  }
  if (!measured.value) measured.why = fmt::format("{} has no value in the results", pointer);
  return measured;
}

bool meets(const Json& value, const Json& condition) {
  if (!condition.is_object()) return value == condition;
  return std::ranges::all_of(condition.items(), [&](const auto& test) {
    const Json& bound = test.value();
    if (test.key() == "not") return value != bound;
    if (!value.is_number()) return false;
    if (test.key() == "from") return value.get<double>() >= bound.template get<double>();
    if (test.key() == "to") return value.get<double>() <= bound.template get<double>();
    if (test.key() == "above") return value.get<double>() > bound.template get<double>();
    return value.get<double>() < bound.template get<double>();
  });
}

// A field by its name, or a place in the item by its pointer; of an object's items also `key`.
Json field_of(const Json& item, const std::string& key, const std::string& field) {
  if (field == "key") return key;
  if (!field.starts_with('/')) return item.value(field, Json());
  const Pointer pointer(field);
  return item.contains(pointer) ? item.at(pointer) : Json();
}

struct Items {
  std::vector<Json> chosen;
  std::int64_t all = 0;
};

Items choose(const Json& list, const Json& where) {
  Items items;
  for (const auto& entry : list.items()) {
    ++items.all;
    const bool fits = std::ranges::all_of(where.items(), [&](const auto& condition) {
      return meets(field_of(entry.value(), entry.key(), condition.key()), condition.value());
    });
    if (fits) items.chosen.push_back(entry.value());
  }
  return items;
}

// The one that was picked, with the places of all that have its value.
Measured with_equals(Measured picked, const std::vector<Measured>& values) {
  std::vector<std::string> places;
  for (const Measured& measured : values) {
    const bool known = std::ranges::find(places, measured.at) != places.end();
    if (*measured.value == *picked.value && !known) places.push_back(measured.at);
  }
  picked.at = join(places, ", ");
  return picked;
}

// How far an AUROC is from one half, in either direction.
Measured distance_from_chance(Measured auroc) {
  constexpr double kChance = 0.5;
  if (!auroc.value) return auroc;
  auroc.value = std::abs(*auroc.value - kChance);
  if (!auroc.low || !auroc.high) return auroc;
  const double below = *auroc.low - kChance;
  const double above = *auroc.high - kChance;
  auroc.low = below <= 0 && above >= 0 ? 0 : std::min(std::abs(below), std::abs(above));
  auroc.high = std::max(std::abs(below), std::abs(above));
  return auroc;
}

// One of the values, or a number about all of them. `values` is not empty, and each has a value. What is said
// about all has no interval: rows, layers and categories of one model are no independent draws.
Measured take_one(const std::vector<Measured>& values, const std::string& take) {
  const auto value_of = [](const Measured& measured) { return *measured.value; };
  if (take == "max") return with_equals(*std::ranges::max_element(values, {}, value_of), values);
  if (take == "min") return with_equals(*std::ranges::min_element(values, {}, value_of), values);
  const auto count = [&](auto is_hit) {
    return static_cast<double>(std::ranges::count_if(values, is_hit, value_of));
  };
  double sum = 0;
  if (take == "share_above_0") {
    sum = count([](double value) { return value > 0; });
  } else if (take == "share_below_0") {
    sum = count([](double value) { return value < 0; });
  } else {  // mean
    for (const Measured& measured : values) sum += *measured.value;
  }
  Measured result;
  result.value = sum / static_cast<double>(values.size());
  result.n = static_cast<std::int64_t>(values.size());
  return result;
}

Measured none(std::string why) {
  Measured measured;
  measured.why = std::move(why);
  return measured;
}

Measured measure_items(const Json& spec, const Json& results) {
  const std::string in = spec.at("in");
  if (!results.contains(Pointer(in))) return none(fmt::format("the results have no {}", in));
  const Json where = spec.value("where", Json::object());
  const std::string take = spec.value("take", "only");
  const Items items = choose(results.at(Pointer(in)), where);
  Measured result;
  if (take == "count") {
    result.value = static_cast<double>(items.chosen.size());
    result.n = items.all;
    return result;
  }
  std::vector<Measured> values;
  std::string why = fmt::format("nothing in {} where {}", in, to_line(where));
  const std::string each = spec.value("each", "");
  for (const Json& item : items.chosen) {
    Measured value = read_number(item, spec.at("value"));
    if (spec.contains("minus")) value = difference(value, read_number(item, spec.at("minus")));
    if (spec.value("from_chance", false)) value = distance_from_chance(value);
    if (item.contains(each)) value.at = plain(item.at(each));
    if (value.value)
      values.push_back(std::move(value));
    else
      why = value.why;
  }
  if (values.empty()) return none(why);
  if (take == "only") {
    if (values.size() == 1) return values.front();
    throw InputError("{} values in {} where {}: say which one to take", values.size(), in, to_line(where));
  }
  result = take_one(values, take);
  result.taken = take;
  if (!result.at.empty()) {
    const bool several = result.at.find(',') != std::string::npos;
    result.at = fmt::format("{}{} {}", each, several ? "s" : "", result.at);
  }
  result.of = static_cast<std::int64_t>(values.size());
  return result;
}

void check_pointer(const JsonObject& spec, const char* key) {
  if (!spec.raw().contains(key)) return;
  try {
    static_cast<void>(Pointer(spec.string(key)));
  } catch (const Json::exception&) {
    throw InputError("{}: expected a JSON pointer such as /groups/a/mean", spec.where(key));
  }
}

void check_conditions(const JsonObject& conditions) {
  for (const auto& [field, condition] : conditions.raw().items()) {
    if (!condition.is_object()) continue;
    const JsonObject tests = conditions.object(field);
    check_known_keys(tests, kConditions);
    for (const auto& [test, bound] : condition.items()) {
      if (test != "not") tests.number(test);
    }
  }
}

}  // namespace

void check_measure(const JsonObject& spec) {
  check_known_keys(spec, {"at", "in", "where", "value", "minus", "take", "by", "of", "each", "from_chance"});
  for (const char* key : {"at", "in", "value", "minus"}) check_pointer(spec, key);
  for (const char* key : {"of", "each"}) spec.string(key, "");
  spec.boolean("from_chance", false);
  if (spec.has("at") == spec.has("in")) throw InputError("{}: give either at or in", spec.where("at"));
  if (spec.has("at")) return;
  const std::string take = spec.string("take", "only");
  if (std::ranges::find(kTakes, take) == kTakes.end())
    throw InputError("{}: no {} (one of {})", spec.where("take"), escape_for_terminal(take),
                     join(kTakes, ", "));
  if (take != "count") spec.string("value");
  if (spec.has("where")) check_conditions(spec.object("where"));
}

std::string picked(const Measured& measured) {
  static const std::map<std::string, const char*> kWords{
      {"max", "highest"}, {"min", "lowest"}, {"mean", "mean"}};
  const auto word = kWords.find(measured.taken);
  if (word == kWords.end() || measured.of == 1) return "";
  return fmt::format("{} of {}{}", word->second, measured.of,
                     measured.at.empty() ? "" : ", at " + measured.at);
}

Measured difference(const Measured& a, const Measured& b) {
  if (!a.value) return a;
  if (!b.value) return b;
  Measured result = a;
  result.value = *a.value - *b.value;
  result.low.reset();
  result.high.reset();
  if (a.low && a.high && b.low && b.high) {
    result.low = *result.value - std::hypot(*a.value - *a.low, *b.high - *b.value);
    result.high = *result.value + std::hypot(*a.high - *a.value, *b.value - *b.low);
  }
  if (!result.n) result.n = b.n;
  return result;
}

Measured measure(const Json& spec, const Json& results) {
  Measured measured =
      spec.contains("at") ? read_number(results, spec.at("at")) : measure_items(spec, results);
  if (spec.contains("at") && spec.value("from_chance", false)) measured = distance_from_chance(measured);
  if (measured.n) measured.n_of = spec.value("of", "prompts");
  return measured;
}

}  // namespace hrt
