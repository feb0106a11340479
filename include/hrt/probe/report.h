#pragma once

#include <map>
#include <string>

#include "hrt/base/json.h"

namespace hrt {

// What an analysis found.
struct ProbeReport {
  Json results = Json::object();              // results.json
  std::map<std::string, std::string> tables;  // csv files by name
  std::string page;                           // for people
};

}  // namespace hrt
