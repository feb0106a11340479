#pragma once

#include <optional>
#include <string>

#include "figure.h"
#include "hrt/base/json.h"

namespace hrt {

// Values of results.json, {"value", "low", "high", "n"}, as figures and tables show them.

std::optional<double> number_of(const Json& value);  // of a number; nothing of null, or where there is none
// The number at `pointer` in `object`, if there is one.
std::optional<double> number_at(const Json& object, const std::string& pointer);

// The number in a field of a csv's record, whose values are texts.
std::optional<double> csv_number(const Json& record, const char* field);

// The value at `pointer` as it stands; empty where there is none.
std::string text_at(const Json& object, const std::string& pointer);

// value, low and high times `scale`, at x; nothing where the value is null.
std::optional<Point> point_of(double x, const Json& estimate, double scale = 1);

std::string percent(const Json& estimate);                  // "83.3 [76, 89]"
std::string decimal(const Json& estimate, int digits = 2);  // "0.83 [0.76, 0.89]"
std::string plain_number(const Json& value);                // as it stands; texts without quotes
std::string count_of(const Json& estimate);                 // its n; of an AUROC "240 + 240"

// "7" of {"row": 7, ...}.
std::string plain_row(const Json& of_row);

// "120 refused harmful": how many of what, in captions.
std::string sized(const Json& n, const std::string& name);

// "refused_harmful" -> "refused harmful"
std::string shown(std::string name);

// The series of a group: quadrants and labels have colours of their own, warm where harmful, open marks and
// dashed lines where accepted; the others take the palette's in turn.
Series group_series(const std::string& group, std::size_t number, Mark mark);

}  // namespace hrt
