#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "hrt/base/json.h"

namespace hrt {

// A run directory as a report finds it: what is missing or broken is said in the report, not an error.
struct RunFolder {
  std::filesystem::path path;
  Json manifest;                     // an object
  Json results;                      // results.json; null where there is none
  std::vector<std::string> remarks;  // in sentences: what is not there, or says little

  // "steer", "probe layers", "guard eval", ...
  std::string kind() const;
  std::string name() const;  // of its folder
  bool complete() const { return manifest.value("status", "") == "complete"; }
  // Manifests that say which model was run and how: the run's own, or that of the extraction that a probe or
  // a guard looked at; of a comparison one each variant, in its order, with its name.
  std::vector<std::pair<std::string, Json>> model_manifests() const;
};

// Throws InputError when the folder holds no manifest of hrt.
RunFolder open_run(const std::filesystem::path& path);

// The rows of a csv or the lines of a .jsonl of the run, at most `most` of them, as objects; none, and a word
// in `remarks`, where the file cannot be read.
std::vector<Json> records(RunFolder& run, const std::string& file, std::size_t most = 1000000);

}  // namespace hrt
