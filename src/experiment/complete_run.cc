#include "hrt/experiment/complete_run.h"

#include "hrt/base/log.h"
#include "hrt/base/output.h"

namespace hrt {

void print_json(const std::optional<std::filesystem::path>& run, const Json& results) {
  Json whole{{"run", run ? Json(run->string()) : Json()}};
  whole.update(results);
  print_out("{}\n", to_line(whole));
}

ExitCode end_complete_run(RunDirectory& run, const RunOptions& options) {
  spdlog::info("{} is complete already", run.path().string());
  const std::filesystem::path results = run.path() / "results.json";
  if (options.print && options.json)  // extractions of earlier versions have none
    print_json(run.path(), std::filesystem::exists(results) ? read_json(results) : Json::object());
  return static_cast<ExitCode>(run.manifest().at("exit_code").get<int>());
}

}  // namespace hrt
