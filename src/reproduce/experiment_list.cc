#include "hrt/reproduce/experiment_list.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/known_keys.h"
#include "hrt/base/strings.h"
#include "hrt/reproduce/claim.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::array kCommands{Command::kExtract, Command::kSteer, Command::kSelect, Command::kProbe,
                               Command::kGuardEval};

Command command_of(const JsonObject& entry) {
  const std::string name = entry.string("command");
  for (const Command command : kCommands) {
    if (command_name(command) == name) return command;
  }
  throw InputError("{}: no command {}", entry.where("command"), name);
}

std::vector<std::string> ids(const std::vector<ExperimentSpec>& specs) {
  std::vector<std::string> names;
  names.reserve(specs.size());
  for (const ExperimentSpec& spec : specs) names.push_back(spec.id);
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

class Reader {
 public:
  explicit Reader(const fs::path& file)
      : file_(file), content_(read_json(file, 10'000'000)), top_(content_, file.string()) {}

  ExperimentList read() {
    ExperimentList list;
    if (top_.has("papers")) list.papers = top_.object("papers").raw();
    for (const auto& entry : entries("models")) list.models.push_back(model(entry));
    for (const auto& entry : entries("extractions")) list.extractions.push_back(experiment(entry));
    extractions_ = ids(list.extractions);
    for (const auto& entry : entries("experiments")) {
      list.experiments.push_back(experiment(entry));
      check_links(list.experiments.back(), entry, list);
    }
    return list;
  }

 private:
  std::vector<JsonObject> entries(const char* key) const {
    const Json* list = top_.find(key);
    if (list == nullptr || !list->is_array()) throw InputError("{} must be a list", top_.where(key));
    std::vector<JsonObject> entries;
    for (const Json& entry : *list)
      entries.emplace_back(entry, file_.string(), fmt::format("/{}/{}", key, entries.size()));
    return entries;
  }

  static KnownModel model(const JsonObject& entry) {
    return {entry.string("name"),     entry.string("letter"),  entry.string("family"),
            entry.string("template"), entry.integer("layers"), entry.integer("hidden")};
  }

  ExperimentSpec experiment(const JsonObject& entry) const {
    check_known_keys(entry, {"id", "title", "source", "command", "config", "set", "uses", "direction",
                             "applies", "cost", "published", "claims"});
    ExperimentSpec spec{.id = entry.string("id"),
                        .title = entry.string("title"),
                        .source = entry.string("source", ""),
                        .command = command_of(entry),
                        .config = file_.parent_path() / entry.string("config"),
                        .cost = entry.number("cost")};
    if (entry.has("set")) spec.set = entry.object("set").raw();
    for (const Json& name : entry.raw().value("uses", Json::array())) spec.uses.push_back(name);
    if (entry.has("direction")) {
      const JsonObject direction = entry.object("direction");
      spec.direction = {direction.string("experiment"), direction.string("name")};
    }
    if (entry.has("applies")) {
      const JsonObject applies = entry.object("applies");
      spec.applies = {applies.string("at"), applies.string("reason")};
    }
    spec.claims = checked_list(entry, "claims", check_claim_spec);
    spec.published = checked_list(entry, "published", check_published_spec);
    return spec;
  }

  static Json checked_list(const JsonObject& entry, const char* key, void (*check)(const JsonObject& spec)) {
    Json list = entry.raw().value(key, Json::array());
    std::size_t i = 0;
    for (const Json& spec : list) check(JsonObject(spec, fmt::format("{}/{}", entry.where(key), i++)));
    return list;
  }

  void check_links(const ExperimentSpec& spec, const JsonObject& entry, const ExperimentList& list) const {
    for (const std::string& name : spec.uses) {
      if (!has(extractions_, name)) throw InputError("{}: no extraction {}", entry.where("uses"), name);
    }
    if (spec.direction && !has(ids(list.experiments), spec.direction->experiment))
      throw InputError("{}: no experiment {} before it", entry.where("direction"),
                       spec.direction->experiment);
  }

  fs::path file_;
  Json content_;
  JsonObject top_;
  std::vector<std::string> extractions_;
};

}  // namespace

ExperimentList read_experiments(const fs::path& file) { return Reader(file).read(); }

std::vector<ExperimentSpec> ExperimentList::chosen(const std::vector<std::string>& only) const {
  const std::vector<std::string> known = ids(experiments);
  std::set<std::string> wanted(only.begin(), only.end());
  for (const std::string& name : only) {
    if (!has(known, name))
      throw InputError("--only {}: no such experiment{} (there are {})", name, did_you_mean(name, known),
                       join(known, ", "));
  }
  // What an experiment builds on stands before it.
  for (const ExperimentSpec& spec : experiments | std::views::reverse) {
    if (spec.direction && wanted.contains(spec.id)) wanted.insert(spec.direction->experiment);
  }
  std::vector<ExperimentSpec> chosen;
  for (const ExperimentSpec& spec : experiments) {
    if (only.empty() || wanted.contains(spec.id)) chosen.push_back(spec);
  }
  return chosen;
}

const ExperimentSpec& ExperimentList::extraction(const std::string& id) const {
  return *std::ranges::find(extractions, id, &ExperimentSpec::id);
}

}  // namespace hrt
