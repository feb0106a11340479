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

// Throws Json::exception where `results` is none of hrt steer.
SweepCells read_sweep(const Json& results);

}  // namespace hrt
