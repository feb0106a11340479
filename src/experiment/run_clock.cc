#include "hrt/experiment/run_clock.h"

#include <filesystem>

#include "hrt/experiment/config.h"
#include "hrt/experiment/run_directory.h"

namespace hrt {

void keep_clock(Json& config) {
  if (!config.contains("template_arg") || !config.contains("out") || config.at("out").is_null()) return;
  const std::filesystem::path out = config.at("out").get<std::string>();
  if (!std::filesystem::exists(out / "manifest.json")) return;
  const Json content = read_manifest(out);
  const JsonObject manifest(content, (out / "manifest.json").string());
  if (!manifest.has("template") || !manifest.object("template").has("clock")) return;
  const JsonObject clock = manifest.object("template").object("clock");
  for (const auto& [key, value] : clock.raw().items()) {
    if (!config["template_arg"].contains(key)) config["template_arg"][key] = clock.string(key);
  }
}

}  // namespace hrt
