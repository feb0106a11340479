#include <filesystem>
#include <memory>

#include "hrt/base/log.h"
#include "hrt/cli/commands.h"
#include "hrt/experiment/merge.h"

namespace hrt {
namespace {

constexpr const char* kFooter = R"(Examples:
  hrt extract --config my.json --shard 0/3 --out shard-0     each on a machine of its own
  hrt extract --config my.json --shard 1/3 --out shard-1
  hrt extract --config my.json --shard 2/3 --out shard-2
  hrt merge shard-* --out RUN                                as if one job had done it all)";

struct MergeOptions {
  std::vector<std::string> shards;
  std::string out;
  bool resume = false;
  bool overwrite = false;
  bool json = false;
  bool quiet = false;
};

ExitCode run(const MergeOptions& options) {
  if (options.quiet) setup_logging(Verbosity::kQuiet);
  RunOptions merged;
  merged.if_exists = options.resume      ? IfExists::kResume
                     : options.overwrite ? IfExists::kOverwrite
                                         : IfExists::kRefuse;
  merged.json = options.json;
  merged.out = std::filesystem::absolute(options.out);
  return run_merge({options.shards.begin(), options.shards.end()}, merged);
}

}  // namespace

void add_merge(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("merge", "Shards of an extraction -> one run.");
  sub->footer(kFooter);
  const auto options = std::make_shared<MergeOptions>();
  sub->add_option("RUN", options->shards, "all shards, in any order")->required();
  sub->add_option("--out", options->out, "run directory to write")->type_name("DIR")->required();
  auto* resume = sub->add_flag("--resume", options->resume, "continue the run in --out, or start it");
  sub->add_flag("--overwrite", options->overwrite, "replace the run in --out")->excludes(resume);
  sub->add_flag("--json", options->json, "results as JSON on stdout");
  sub->add_flag("--quiet", options->quiet, "no progress and no log on stderr, errors only");
  sub->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace hrt
