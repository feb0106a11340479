#include "run_folder.h"

#include <fmt/format.h>

#include "hrt/base/error.h"
#include "hrt/data/record_file.h"
#include "hrt/experiment/run_directory.h"
#include "numbers.h"

namespace hrt {

namespace fs = std::filesystem;

std::string RunFolder::kind() const {
  const std::string command = manifest.value("command", "");
  if (command != "probe") return command;
  const Json config = manifest.value("config", Json::object());
  return config.contains("analysis") && config.at("analysis").is_string()
             ? command + " " + config.at("analysis").get<std::string>()
             : command;
}

std::string RunFolder::name() const {
  const fs::path normal = fs::weakly_canonical(path);
  return normal.filename().string();
}

std::vector<std::pair<std::string, Json>> RunFolder::model_manifests() const {
  if (manifest.contains("model")) return {{"", manifest}};
  std::vector<std::pair<std::string, fs::path>> places{{"", path / "extract"}};
  const auto add = [&](const std::string& name, const Json& source, const char* pointer) {
    if (const std::string run = text_at(source, pointer); !run.empty()) places.emplace_back(name, run);
  };
  for (const Json* source : {&manifest, &results}) {
    add("", *source, "/source/runs/0");
    add("", *source, "/runs/0");
  }
  const Json variants = manifest.value("source", Json::object());
  for (const auto& [name, source] : variants.items()) add(name, source, "/runs/0");
  std::vector<std::pair<std::string, Json>> found;
  for (const auto& [name, place] : places) {
    if (!found.empty() && found.back().first == name) continue;  // both files name it
    if (!fs::exists(place / "manifest.json")) continue;
    Json of_model = read_manifest(place);
    if (of_model.contains("model")) found.emplace_back(name, std::move(of_model));
  }
  return found;
}

RunFolder open_run(const fs::path& path) {
  if (!fs::exists(path / "manifest.json"))
    throw InputError("{}: no run directory: it has no manifest.json", path.string());
  RunFolder run{path, read_manifest(path), nullptr, {}};
  if (!run.complete())
    run.remarks.push_back(
        "This run is not complete: it was stopped, or is still under way (`--resume` goes on).");
  if (run.kind() == "extract") return run;
  if (!fs::exists(path / "results.json")) {
    run.remarks.push_back("There is no results.json.");
    return run;
  }
  try {
    run.results = read_json(path / "results.json");
    const bool whole = run.results.is_object() && run.results.contains("model") &&
                       run.results.contains("experiments") && run.results.at("experiments").is_array();
    if (run.kind() == "reproduce" && !whole) {
      run.results = nullptr;
      run.remarks.push_back("results.json is not as this version writes it: model and experiments expected.");
    }
  } catch (const InputError& error) {
    run.remarks.push_back(fmt::format("results.json cannot be read: {}.", error.what()));
  }
  return run;
}

std::vector<Json> records(RunFolder& run, const std::string& file, std::size_t most) {
  std::vector<Json> found;
  try {
    for_each_record(run.path / file, [&](RawRecord record) {
      found.push_back(std::move(record.value));
      return found.size() < most;
    });
  } catch (const InputError& error) {
    run.remarks.push_back(fmt::format("{} cannot be read: {}.", file, error.what()));
  }
  return found;
}

}  // namespace hrt
