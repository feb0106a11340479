#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/experiment/catalog.h"

namespace hrt {

// What of an experiment's input is there.
struct Inputs {
  std::vector<std::string> left_out;  // sources that are not, each with its reason
  std::string missing;                // why the experiment cannot be run; empty: it can
};

// Takes out of a resolved config the sources that the catalog has no role for, or whose files are not there:
// an experiment runs on the rest. `files` collects the files that are missing.
Inputs keep_what_is_there(Json& config, const Catalog& catalog, std::set<std::string>& files);

}  // namespace hrt
