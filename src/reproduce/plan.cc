#include "plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "hrt/base/error.h"
#include "hrt/base/log.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/open_checkpoint.h"
#include "hrt/experiment/prompt_set.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/model/device.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::array kPaths{"model", "adapter", "data", "data_root"};

bool is_path(const Override& change) { return std::ranges::count(kPaths, change.path) > 0; }

// Runs are taken up from any folder.
ReproduceOptions with_absolute_paths(ReproduceOptions options) {
  for (Override& change : options.overrides) {
    if (!is_path(change) || !change.value.is_string()) continue;
    const fs::path place = change.value.get<std::string>();
    if (fs::exists(place)) change.value = fs::absolute(place).lexically_normal().string();
  }
  return options;
}

std::string catalog_file(const Json& config) {
  if (const auto file = optional_value<std::string>(config, "data")) return *file;
  throw InputError("no catalog: --data CATALOG says which prompts the experiments take");
}

// With `--only`, what is complete in `out` stays on the scoreboard: it is measured again, not computed. What
// is broken has its row, too.
std::vector<std::string> asked_or_there(const ReproduceOptions& options, const ExperimentList& list,
                                        const fs::path& out) {
  std::vector<std::string> ids = options.only;
  if (ids.empty() || options.overwrite) return ids;
  for (const ExperimentSpec& spec : list.experiments) {
    const RunState state = state_of_run(out / spec.id);
    if (state == RunState::kComplete || state == RunState::kBroken) ids.push_back(spec.id);
  }
  return ids;
}

bool can_run(const Step& step) { return step.inputs.missing.empty(); }

}  // namespace

Plan::Plan(const ReproduceOptions& options)
    : options_(with_absolute_paths(options)),
      config_(resolve_config(Command::kExtract, std::nullopt, options_.overrides)),
      list_(read_experiments(data_dir() / "experiments.json")),
      catalog_(catalog_file(config_), data_root()),
      checkpoint_(open_checkpoint(config_)),
      chat_template_(open_text(config_, checkpoint_.folder(), true).chat.name()),
      out_(fs::absolute(options.out.empty() ? "runs/reproduce" : options.out)),
      steps_(plan_steps(list_, list_.chosen(asked_or_there(options, list_, out_)), options_.overrides,
                        catalog_, out_, missing_)) {}

std::optional<fs::path> Plan::data_root() const { return optional_value<std::string>(config_, "data_root"); }

Json Plan::model() const {
  Json model{{"path", fs::absolute(checkpoint_.folder()).lexically_normal().string()},
             {"family", checkpoint_.spec().family},
             {"layers", checkpoint_.spec().layers},
             {"hidden", checkpoint_.spec().hidden},
             {"parameters", checkpoint_.parameters()},
             {"template", chat_template_}};
  if (checkpoint_.adapter()) model["adapter"] = checkpoint_.adapter()->describe();
  return model;
}

std::string Plan::taken_for() const {
  const DecoderSpec& spec = checkpoint_.spec();
  const auto found = std::ranges::find_if(list_.models, [&](const KnownModel& model) {
    return model.family == spec.family && model.layers == spec.layers && model.hidden == spec.hidden &&
           model.chat_template == chat_template_;
  });
  return found == list_.models.end() ? "" : found->name;
}

std::map<std::string, std::string> Plan::missed() const {
  const std::optional<fs::path> own = catalog_.model();
  const bool another = own && fs::weakly_canonical(*own) != fs::weakly_canonical(checkpoint_.folder());
  return another || checkpoint_.adapter() ? std::map<std::string, std::string>() : catalog_.missed();
}

Json Plan::config() const {
  Json given = Json::object();
  for (const Override& change : options_.overrides) given[change.path] = config_.at(change.path);
  return given;
}

Json Plan::identity() const {
  Json given = config();
  for (const char* key : kPaths) given.erase(key);
  given.erase("threads");
  return {{"command", "reproduce"},
          {"model", checkpoint_.fingerprint()},
          {"catalog", catalog_.name()},
          {"config", given}};
}

void Plan::check_inputs() const {
  parse_device(config_.at("device").get<std::string>());  // throws where it is not there
  const std::string files = missing_files();
  if (std::ranges::any_of(steps_, can_run)) {
    if (!files.empty()) spdlog::warn("warning: {}", files);
    return;
  }
  throw InputError(
      "nothing can be run: {}",
      files.empty() ? fmt::format("{}: {}", steps_.back().spec.id, steps_.back().inputs.missing) : files);
}

// "2 prompt files are not there: FOLDER/{a.csv, b.json} (where they are had)"
std::string Plan::missing_files() const {
  if (missing_.empty()) return "";
  std::map<std::string, std::vector<std::string>> names;  // by folder
  for (const fs::path file : missing_) names[file.parent_path().string()].push_back(file.filename().string());
  std::vector<std::string> folders;
  for (const auto& [folder, files] : names)
    folders.push_back(
        fmt::format("{}/{}", folder, files.size() == 1 ? files.front() : "{" + join(files, ", ") + "}"));
  return fmt::format("{} {} not there: {}{}", counted(missing_.size(), "prompt file"),
                     missing_.size() == 1 ? "is" : "are", join(folders, ", "),
                     catalog_.hint().empty() ? "" : " (" + catalog_.hint() + ")");
}

}  // namespace hrt
