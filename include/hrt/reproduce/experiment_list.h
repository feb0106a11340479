#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/experiment/config_keys.h"

namespace hrt {

// A published model, and how a checkpoint is taken for it.
struct KnownModel {
  std::string name;
  std::string letter;  // in the head of the scoreboard's column: "L2"
  std::string family;
  std::string chat_template;
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
};

// One entry of the experiment file: an experiment, or an extraction that several of them share.
struct ExperimentSpec {
  std::string id;  // of its run's folder, too
  std::string title;
  std::string source;  // "Zhao et al., fig. 3"
  Command command = Command::kExtract;
  std::filesystem::path config;
  Json set = Json::object();           // config keys over the config's own
  std::vector<std::string> uses = {};  // shared extractions
  double cost = 1;                     // time that it takes, as a share of the others'

  // A steering direction out of another experiment's run, where that found one.
  struct Direction {
    std::string experiment;
    std::string name;
  };
  std::optional<Direction> direction = {};

  // Where results.json says that the experiment tells nothing (false), and why.
  struct Applies {
    std::string at;
    std::string reason;
  };
  std::optional<Applies> applies = {};

  Json claims = Json::array();
  Json published = Json::array();
};

// The experiments as data (docs/formats.md): what is run, in which order, what it is measured by, what was
// published.
struct ExperimentList {
  Json papers = Json::object();  // by the name that sources begin with: authors, venue, version
  std::vector<KnownModel> models;
  std::vector<ExperimentSpec> extractions;
  std::vector<ExperimentSpec> experiments;

  // Those named, in the file's order, and what they build on; of none: all. Throws InputError for an unknown
  // name.
  std::vector<ExperimentSpec> chosen(const std::vector<std::string>& only) const;
  const ExperimentSpec& extraction(const std::string& id) const;
};

// Throws InputError "FILE: /experiments/2/...".
ExperimentList read_experiments(const std::filesystem::path& file);

}  // namespace hrt
