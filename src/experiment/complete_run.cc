#include "hrt/experiment/complete_run.h"

#include <set>

#include "hrt/base/error.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// Whether a file that a run wrote is still there. Tensor files say themselves how long they are.
void check_there(const fs::path& file) {
  const bool there = fs::is_directory(file) || (fs::is_regular_file(file) && fs::file_size(file) > 0);
  if (!there)
    throw InputError("{}: the run is complete, but this is gone or empty; --overwrite computes it again",
                     file.string());
  if (file.extension() == ".safetensors") static_cast<void>(SafetensorsFile(file));
}

// What a run names but need not have: activations in the run that it was made from, and no reply at all.
bool need_not_be(const std::string& name, const Json& manifest) {
  if (name == "activations.safetensors") return manifest.contains("activations");
  return name == "replies.jsonl" && manifest.value(Json::json_pointer("/counts/replies"), Json(1)) == 0;
}

// Of results, and of runs in the run.
void check_files(const fs::path& run, const Json& manifest) {
  static const std::set<fs::path> kKinds{"", ".json", ".jsonl", ".csv", ".safetensors"};
  const Json files = manifest.value("files", Json::array());
  for (const Json& name : files) {
    if (!name.is_string() || need_not_be(name, manifest)) continue;
    const fs::path file = run / name.get<std::string>();
    if (kKinds.contains(file.extension())) check_there(file);
  }
}

}  // namespace

void print_json(const std::optional<std::filesystem::path>& run, const Json& results) {
  Json whole{{"run", run ? Json(run->string()) : Json()}};
  whole.update(results);
  print_out("{}\n", to_line(whole));
}

ExitCode end_complete_run(RunDirectory& run, const RunOptions& options) {
  check_files(run.path(), run.manifest());
  const JsonObject manifest(run.manifest(), (run.path() / "manifest.json").string());
  const std::int64_t code = manifest.integer("exit_code");
  spdlog::info("{} is complete already", run.path().string());
  const fs::path results = run.path() / "results.json";
  if (options.print && options.json)  // extractions of earlier versions have none
    print_json(run.path(), fs::exists(results) ? read_json(results) : Json::object());
  return static_cast<ExitCode>(code);
}

}  // namespace hrt
