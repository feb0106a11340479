#include "numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace hrt {
namespace {

constexpr std::array kTurns{Colour::kBlue,   Colour::kVermillion, Colour::kGreen, Colour::kPurple,
                            Colour::kOrange, Colour::kSky,        Colour::kGrey,  Colour::kInk};

struct GroupStyle {
  const char* name;
  Colour colour;
  bool dashed;
};
constexpr std::array kGroups{
    GroupStyle{"refused_harmful", Colour::kVermillion, false},
    GroupStyle{"accepted_harmful", Colour::kOrange, true},
    GroupStyle{"refused_harmless", Colour::kBlue, false},
    GroupStyle{"accepted_harmless", Colour::kSky, true},
    GroupStyle{"harmful", Colour::kVermillion, false},
    GroupStyle{"harmless", Colour::kBlue, false},
    GroupStyle{"Llama-2-7b-chat", Colour::kBlue, false},
    GroupStyle{"Meta-Llama-3-8B-Instruct", Colour::kVermillion, false},
    GroupStyle{"Qwen2-7B-Instruct", Colour::kGreen, false},
};

std::string with_interval(const Json& estimate, double scale, int digits, int interval_digits) {
  const std::optional<double> value = number_at(estimate, "/value");
  if (!value) return "-";
  const std::optional<double> low = number_at(estimate, "/low");
  const std::optional<double> high = number_at(estimate, "/high");
  const std::string text = fmt::format("{:.{}f}", *value * scale, digits);
  if (!low || !high) return text;
  return fmt::format("{} [{:.{}f}, {:.{}f}]", text, *low * scale, interval_digits, *high * scale,
                     interval_digits);
}

}  // namespace

std::optional<double> number_of(const Json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<double> number_at(const Json& object, const std::string& pointer) {
  const Json::json_pointer place(pointer);
  return object.is_structured() && object.contains(place) ? number_of(object.at(place)) : std::nullopt;
}

std::optional<double> csv_number(const Json& record, const char* field) {
  const Json text = record.value(field, Json());
  return text.is_string() ? number_of(Json::parse(text.get<std::string>(), nullptr, false)) : std::nullopt;
}

std::string text_at(const Json& object, const std::string& pointer) {
  const Json::json_pointer place(pointer);
  const bool there = object.is_structured() && object.contains(place) && !object.at(place).is_null();
  return there ? plain_number(object.at(place)) : "";
}

std::optional<Point> point_of(double x, const Json& estimate, double scale) {
  const std::optional<double> value =
      estimate.is_number() ? number_of(estimate) : number_at(estimate, "/value");
  if (!value) return std::nullopt;
  Point point{x, *value * scale};
  if (const auto low = number_at(estimate, "/low")) point.low = *low * scale;
  if (const auto high = number_at(estimate, "/high")) point.high = *high * scale;
  return point;
}

std::string percent(const Json& estimate) { return with_interval(estimate, 100, 1, 0); }
std::string decimal(const Json& estimate, int digits) { return with_interval(estimate, 1, digits, digits); }

std::string plain_number(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string count_of(const Json& estimate) {
  if (const auto n = number_at(estimate, "/n")) return fmt::format("{:.0f}", *n);
  const auto positives = number_at(estimate, "/positives");
  const auto negatives = number_at(estimate, "/negatives");
  return positives && negatives ? fmt::format("{:.0f} + {:.0f}", *positives, *negatives) : "-";
}

std::string plain_row(const Json& of_row) { return fmt::format("{}", of_row.at("row").get<std::int64_t>()); }

std::string sized(const Json& n, const std::string& name) {
  return fmt::format("{} {}", plain_number(n), shown(name));
}

std::string shown(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

Series group_series(const std::string& group, std::size_t number, Mark mark) {
  const auto* style = std::ranges::find_if(kGroups, [&](const GroupStyle& s) { return s.name == group; });
  if (style != kGroups.end()) return {shown(group), mark, style->colour, style->dashed};
  return {shown(group), mark, kTurns[number % kTurns.size()], number >= kTurns.size()};
}

}  // namespace hrt
