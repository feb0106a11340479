#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/reproduce/claim.h"
#include "hrt/reproduce/experiment_list.h"

namespace hrt {

// One experiment, as it ended.
struct ScoreRow {
  enum class State { kDone, kNotRun, kFailed };

  std::string id;
  std::string title;
  std::string source;
  State state = State::kNotRun;
  std::string why;  // it was not run, or failed, or does not apply: why; how else it departs from the paper
  std::vector<std::string> left_out;  // sources that were not there
  std::vector<ClaimResult> claims = {};
  std::vector<PublishedResult> published = {};

  // On a published model: "within", "direction only" (the claims hold), "not". On others, of the claims:
  // "holds", "partly", "does not hold", "not applicable". Else "not run", "failed".
  std::string verdict() const;
  // What stands for the experiment in a table of one line each: its first published number, else its first
  // claim's.
  const Measured* headline() const;
};

// What `hrt reproduce` ends in.
struct Scoreboard {
  Json model;
  std::string taken_for;  // the published model that this one has the shape of; empty: none
  std::string catalog;
  std::string description;                    // of the catalog
  std::map<std::string, std::string> missed;  // claims that the catalog lists as missed, with the reason
  std::vector<KnownModel> known;
  Json papers = Json::object();            // that sources name, in full
  std::vector<std::string> warnings = {};  // of the shared extractions, with who uses them
  std::vector<ScoreRow> rows;

  // "ID.CLAIM" of the claims that do not hold and that the catalog does not list.
  std::vector<std::string> broken() const;

  Json to_json() const;
  std::string to_csv() const;
  std::string page() const;
};

// Whether `results` have any of the parts that the experiment's claims look into.
bool holds_measures(const ExperimentSpec& spec, const Json& results);

// The results of a run, by the experiment's measures.
void measure_row(ScoreRow& row, const ExperimentSpec& spec, const Json& results, const std::string& model);

}  // namespace hrt
