#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hrt/base/json.h"

namespace hrt {

// A number out of a results.json, with its interval where it has one.
struct Measured {
  std::optional<double> value;
  std::optional<double> low;
  std::optional<double> high;
  std::optional<std::int64_t> n = {};
  std::string n_of = {};   // what n counts, of the entry: "prompts"
  std::string taken = {};  // how several values became one ("max"); empty: one was read
  std::int64_t of = 0;     // how many these were
  std::string at = {};     // "layers 4, 5": which of them, where the entry says what tells them apart
  std::string why = {};    // there is no value: why
};

// Reads what `spec` describes (docs/formats.md, "Measures") from `results`:
//   {"at": POINTER}: a number, or an object with `value`, `low`, `high` and `n` (or `positives`,
//   `negatives`);
//   {"in": POINTER, "where": {FIELD: CONDITION}, "value": POINTER, "minus": POINTER, "take": HOW, "each":
//   FIELD}: of the items of a list or an object those that meet all conditions, their values, and one number
//   out of them.
// `from_chance`: how far that AUROC is from one half, where nothing is told.
// Where the results have no such place or value, the measure has none and says why. Throws InputError for a
// spec that is wrong in itself.
Measured measure(const Json& spec, const Json& results);

// What was picked after the fact, and out of how many: "highest of 8, at layer 7"; empty where nothing was.
std::string picked(const Measured& measured);

// a - b. Without an interval on either side there is none. Distances to the ends of both intervals are added
// in squares (Newcombe 1998, method 10: as for independent estimates, so that for the same prompts twice,
// which tend to agree, it is rather too wide).
Measured difference(const Measured& a, const Measured& b);

// Throws InputError: an unknown key, a pointer or a `take` that is none.
void check_measure(const JsonObject& spec);

}  // namespace hrt
