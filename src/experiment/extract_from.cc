#include "hrt/base/log.h"
#include "hrt/experiment/extract.h"
#include "hrt/experiment/extract_results.h"
#include "hrt/experiment/rejudge.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// A second name for the same bytes costs no space and outlives the first run. Where the file system has none,
// the manifest says where they are.
void link_activations(RunDirectory& run, const fs::path& stored) {
  const fs::path link = run.file("activations.safetensors");
  std::error_code error;
  fs::remove(link);
  fs::create_hard_link(stored, link, error);
  if (!error) return;
  run.manifest()["activations"] = fs::absolute(stored).string();
  spdlog::info("activations stay in {} ({})", stored.string(), error.message());
}

}  // namespace

ExitCode run_extract_from(const Json& config, const RunOptions& options) {
  const StoredRun stored(config.at("from").get<std::string>(), Command::kExtract);
  const std::vector<std::int64_t> rows = stored.rows();
  const StoredRows captured(stored.activations(), stored.set(), rows);
  return rejudge(stored, config, options, [&](RunDirectory& run, const Rejudged& rejudged) {
    link_activations(run, stored.activations());
    const ExtractInput input{stored.set(), rejudged.outcomes, captured, rows, rejudged.unknown()};
    return write_extraction(run, input, direction_request(config, stored.template_name() == "raw"), options);
  });
}

}  // namespace hrt
