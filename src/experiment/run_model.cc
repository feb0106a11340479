#include "hrt/experiment/run_model.h"

#include <fmt/format.h>

#include "hrt/base/page.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kShownDigits = 12;  // of a fingerprint

}  // namespace

Json run_model(const Checkpoint& checkpoint) {
  Json model{{"path", fs::absolute(checkpoint.folder()).string()},
             {"family", checkpoint.spec().family},
             {"parameters", checkpoint.parameters()},
             {"layers", checkpoint.spec().layers},
             {"hidden", checkpoint.spec().hidden},
             {"stored_dtype", safetensors_dtype(checkpoint.stored_dtype())},
             {"unknown_config_keys", checkpoint.unknown_keys()}};
  if (checkpoint.adapter()) model["adapter"] = checkpoint.adapter()->describe();
  return model;
}

std::string model_line(const Json& model) {
  return fmt::format("{} ({}, {} parameters)", model.at("path").get<std::string>(),
                     model.at("family").get<std::string>(),
                     grouped(model.at("parameters").get<std::int64_t>()));
}

std::string stored_fingerprint(const Json& manifest, const std::string& origin) {
  JsonObject identity = JsonObject(manifest, origin).object("identity");
  while (identity.has("from")) identity = identity.object("from");
  return identity.string("model", "");
}

std::string model_difference(const fs::path& run, const Checkpoint& checkpoint) {
  const Json content = read_manifest(run);
  const JsonObject manifest(content, (run / "manifest.json").string());
  const std::string theirs = stored_fingerprint(content, manifest.origin());
  const bool full = manifest.object("config").boolean("full_hash", false);
  const std::string ours = checkpoint.fingerprint(full);
  if (theirs.empty() || theirs == ours) return {};
  const JsonObject model = manifest.object("model");
  return fmt::format("the directions of {} are another model's: {}{} (fingerprint {}, here {})", run.string(),
                     escape_for_terminal(model.string("path", "unnamed")),
                     model.has("adapter") ? " with an adapter" : "", theirs.substr(0, kShownDigits),
                     ours.substr(0, kShownDigits));
}

}  // namespace hrt
