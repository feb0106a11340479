#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

// What came of one cell on one set of prompts: an item of `results` in the results.json of hrt steer, with
// its cell. Refers to that results.json.
struct SweptCell {
  const Json* json;
  std::string sweep;
  std::string scope;
  std::optional<double> coefficient;
  std::optional<double> layer;  // of a cell that steers in one layer
  std::string set;
  const Json& rate() const { return json->at("rate"); }
};

struct SweepCells {
  std::vector<SweptCell> baseline;
  std::vector<SweptCell> steered;  // without controls
};

// "v_h, instruction"; "unsteered".
std::string cell_label(const SweptCell& cell);

// What tells a line over layers from the others of its sweep and scope: "c = 1, accepted harmless".
std::string line_name(const SweptCell& cell);

// Answers of an inversion that are neither yes nor no, in %.
std::optional<double> neither_of(const SweptCell& cell);

bool is_inversion(const Json& results);
std::string rate_title(const Json& results);  // what the rates are of, with their unit

// Throws Json::exception where `results` is none of hrt steer.
SweepCells read_sweep(const Json& results);

}  // namespace hrt
