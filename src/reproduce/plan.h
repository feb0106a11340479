#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/experiment/catalog.h"
#include "hrt/model/checkpoint.h"
#include "hrt/reproduce/experiment_list.h"
#include "hrt/reproduce/reproduce.h"
#include "step.h"

namespace hrt {

// What is going to be run: on which model and data, in which steps, and what of their input is missing.
// Nothing is computed or written yet.
class Plan {
 public:
  // Throws InputError for a model, a catalog or an experiment that is not there.
  explicit Plan(const ReproduceOptions& options);

  std::vector<Step>& steps() { return steps_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::filesystem::path& out() const { return out_; }
  const Catalog& catalog() const { return catalog_; }
  const std::vector<KnownModel>& known_models() const { return list_.models; }
  const Json& papers() const { return list_.papers; }

  // As manifest and scoreboard show it.
  Json model() const;
  // The published model of this shape and template; empty: none.
  std::string taken_for() const;
  // Claims that the catalog's own model is known to miss, with the reason; none of another model.
  std::map<std::string, std::string> missed() const;
  // The keys that were given.
  Json config() const;
  // All that decides numbers, for the run directory. Experiments can be added later: which ones were asked
  // for is no part of it.
  Json identity() const;

  // Throws InputError where no step can be run; else warns of files that are not there: all at once, with
  // where they are had.
  void check_inputs() const;

 private:
  std::string missing_files() const;
  std::optional<std::filesystem::path> data_root() const;

  ReproduceOptions options_;
  Json config_;
  ExperimentList list_;
  Catalog catalog_;
  Checkpoint checkpoint_;
  std::string chat_template_;
  std::filesystem::path out_;
  std::set<std::string> missing_;  // prompt files
  std::vector<Step> steps_;
};

}  // namespace hrt
