#include "hrt/steer/export.h"

#include <numeric>

#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/direction_source.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/tensor/direction_export.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

std::string hint_of(const ExportOptions& options, const fs::path& place) {
  if (options.model_hint) return *options.model_hint;
  if (!fs::exists(place / "manifest.json")) {
    throw InputError("{}: a gguf names the model's architecture: give --model-hint (such as llama)",
                     options.direction);
  }
  const Json manifest = read_manifest(place);
  return JsonObject(manifest, (place / "manifest.json").string()).object("model").string("family");
}

// Returns how many rows have a place there.
std::int64_t write_gguf(const ExportOptions& options, const fs::path& place, const DirectionRows& rows) {
  const std::vector<std::int64_t> left_out = write_control_vector(options.out, rows, hint_of(options, place));
  if (!left_out.empty()) {
    print_out(
        "rows {} have no place in a control vector: its direction.N is added behind block N, from 1 on\n",
        to_line(Json(left_out)));
  }
  return rows.values.size(0) - std::ssize(left_out);
}

}  // namespace

ExitCode run_export(const ExportOptions& options) {
  const DirectionName direction = split_direction(options.direction);
  if (direction.path.empty()) throw InputError("{}: no file or run (PATH:NAME)", options.direction);
  if (fs::exists(options.out)) throw InputError("{}: is there already", options.out.string());
  const DirectionRows rows = read_direction(direction);
  const std::string ending = options.out.extension().string();
  std::int64_t written = rows.values.size(0);
  if (ending == ".gguf") {
    written = write_gguf(options, direction.path, rows);
  } else if (ending == ".npy") {
    write_direction_npy(options.out, rows);
  } else if (ending == ".safetensors") {
    write_direction_safetensors(options.out, rows, direction.name.empty() ? "direction" : direction.name);
  } else {
    throw InputError("{}: expected a file that ends in .gguf, .npy or .safetensors", options.out.string());
  }
  print_out("{}: {} rows of {} values\n", options.out.string(), written, rows.values.size(1));
  return ExitCode::kDone;
}

}  // namespace hrt
