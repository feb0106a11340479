#include "hrt/experiment/run_clock.h"

#include <filesystem>

#include "hrt/experiment/config.h"
#include "hrt/experiment/run_directory.h"

namespace hrt {

void keep_clock(Json& config) {
  if (!config.contains("template_arg") || !config.contains("out") || config.at("out").is_null()) return;
  const std::filesystem::path out = config.at("out").get<std::string>();
  if (!std::filesystem::exists(out / "manifest.json")) return;
  const Json manifest = read_manifest(out);
  const Json clock = manifest.value("template", Json::object()).value("clock", Json::object());
  for (const auto& [key, value] : clock.items()) {
    if (!config["template_arg"].contains(key)) config["template_arg"][key] = value;
  }
}

}  // namespace hrt
