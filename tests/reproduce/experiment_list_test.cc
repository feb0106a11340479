#include "hrt/reproduce/experiment_list.h"

#include <gmock/gmock.h>

#include "hrt/base/error.h"
#include "hrt/experiment/config.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::filesystem::path shipped() { return std::filesystem::path(HRT_SOURCE_DIR) / "data/experiments.json"; }

std::vector<std::string> ids(const std::vector<ExperimentSpec>& specs) {
  std::vector<std::string> names;
  for (const ExperimentSpec& spec : specs) names.push_back(spec.id);
  return names;
}

TEST(ExperimentList, EveryShippedConfigResolves) {
  const ExperimentList list = read_experiments(shipped());
  EXPECT_GE(list.experiments.size(), 17);
  for (const ExperimentSpec& spec : list.experiments) {
    EXPECT_NO_THROW(resolve_config(spec.command, spec.config, {})) << spec.id;
    EXPECT_FALSE(spec.claims.empty()) << spec.id;
  }
}

// A probe that scores a role which the shared extraction lacks could not run.
TEST(ExperimentList, SharedExtractionsHoldWhatProbesScore) {
  const ExperimentList list = read_experiments(shipped());
  std::vector<std::string> roles;
  for (const ExperimentSpec& spec : list.extractions) {
    const Json config = resolve_config(spec.command, spec.config, {});
    for (const char* key : {"harmful", "harmless", "prompts"}) {
      for (const Json& source : config.at(key)) roles.push_back(source.at("role"));
    }
  }
  for (const ExperimentSpec& spec : list.experiments) {
    if (spec.uses.size() < 2) continue;
    const Json config = resolve_config(spec.command, spec.config, {});
    for (const char* key : {"harmful", "harmless", "prompts"}) {
      for (const Json& source : config.at(key))
        EXPECT_THAT(roles, ::testing::Contains(source.at("role").get<std::string>())) << spec.id;
    }
  }
}

TEST(ExperimentList, TakesThoseNamedAndWhatTheyBuildOn) {
  const ExperimentList list = read_experiments(shipped());
  EXPECT_THAT(ids(list.chosen({"fig3", "table1"})), ElementsAre("table1", "fig3"));
  EXPECT_THAT(ids(list.chosen({"bypass"})), ElementsAre("select", "bypass"));
  EXPECT_EQ(list.chosen({}).size(), list.experiments.size());
  try {
    static_cast<void>(list.chosen({"fig33"}));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean fig3"));
  }
}

TEST(ExperimentList, NamesThePlaceOfAMistake) {
  const TemporaryFolder folder;
  const auto read = [&](const char* experiment) {
    read_experiments(folder.write(
        "list.json", fmt::format(R"({{"models": [], "extractions": [], "experiments": [{}]}})", experiment)));
  };
  const std::vector<std::pair<const char*, const char*>> kBad{
      {R"({"id": "a"})", "/experiments/0"},
      {R"({"id": "a", "title": "t", "command": "plot", "config": "c", "cost": 1})", "no command plot"},
      {R"({"id": "a", "title": "t", "command": "steer", "config": "c", "cost": 1, "uses": ["train"]})",
       "no extraction train"},
      {R"({"id": "a", "title": "t", "command": "steer", "config": "c", "cost": 1, "clams": []})",
       "did you mean claims"},
      {R"({"id": "a", "title": "t", "command": "steer", "config": "c", "cost": 1, "claims": [{"name": "x"}]})",
       "claims/0"},
      {R"({"id": "a", "title": "t", "command": "steer", "config": "c", "cost": 1,
           "direction": {"experiment": "select", "name": "r"}})",
       "no experiment select before it"}};
  for (const auto& [experiment, message] : kBad) {
    try {
      read(experiment);
      ADD_FAILURE() << experiment;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message)) << experiment;
    }
  }
}

}  // namespace
}  // namespace hrt
