#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "config_flags.h"
#include "hrt/base/error.h"
#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/cli/commands.h"
#include "hrt/reproduce/reproduce.h"
#include "library_settings.h"

namespace hrt {
namespace {

constexpr const char* kFooter = R"(Examples:
  hrt reproduce --data data/catalogs/organism.json --out runs/organism
  hrt reproduce --model MODEL --data CATALOG --only fig3,table3 --out DIR
  hrt reproduce --data CATALOG --out DIR --strict            exit 3 when a claim does not hold
  hrt reproduce --data CATALOG --out DIR --dry-run           what would run, and what is missing
  hrt reproduce --from RUN                                   one run again, and what differs

A folder that is there is taken up: what is complete is not computed again.)";

// Config keys that make sense for all experiments at once.
constexpr std::array kKeys{"model",  "adapter", "data", "data_root",      "template", "system", "dtype",
                           "device", "limit",   "seed", "max_new_tokens", "threads",  "verify"};

struct Flags {
  ReproduceOptions options;
  std::optional<std::string> only;
  bool resume = false;  // so it is anyway; scripts say it of all commands
  bool quiet = false;
  bool verbose = false;
};

ExitCode run(Flags& flags) {
  setup_logging(flags.quiet ? Verbosity::kQuiet : flags.verbose ? Verbosity::kVerbose : Verbosity::kNormal);
  if (!flags.options.dry_run) restart_with_short_spin();
  if (flags.only) flags.options.only = split_list(*flags.only);
  std::erase(flags.options.only, "");
  if (flags.only && flags.options.only.empty())
    throw InputError("--only names no experiment: expected ids such as fig3,table3");
  const Json config = resolve_config(Command::kExtract, std::nullopt, flags.options.overrides);
  use_threads(optional_value<std::int64_t>(config, "threads"));
  if (flags.options.from.empty()) return run_reproduce(flags.options);
  if (flags.only || flags.options.strict || flags.options.dry_run)
    throw InputError("--from does one run again: --only, --strict and --dry-run do not go with it");
  return run_again(flags.options);
}

void add_key_flags(CLI::App& app, std::vector<Override>& overrides) {
  for (KeySpec key : keys_of(Command::kExtract)) {
    if (std::ranges::find(kKeys, key.name) == kKeys.end()) continue;
    key.fallback = nullptr;  // what is not given is each config's own
    add_config_flag(app, key, overrides);
  }
}

}  // namespace

void add_reproduce(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand(
      "reproduce", "The papers' experiments on one model, and a scoreboard beside the published numbers.");
  sub->footer(kFooter);
  const auto flags = std::make_shared<Flags>();
  ReproduceOptions& options = flags->options;
  add_key_flags(*sub, options.overrides);
  const char* group = "Run";
  sub->add_option("--only", flags->only, "these experiments, by id, and what they build on")
      ->group(group)
      ->type_name("LIST");
  sub->add_option("--from", options.from, "do this run again, as its manifest says, and compare")
      ->group(group)
      ->type_name("RUN");
  sub->add_option("--out", options.out,
                  "folder of the runs and the scoreboard [runs/reproduce]; with --from of the new run")
      ->group(group)
      ->type_name("DIR");
  auto* resume =
      sub->add_flag("--resume", flags->resume, "take up what is in --out, as it always does")->group(group);
  sub->add_flag("--overwrite", options.overwrite, "replace what is in --out")->group(group)->excludes(resume);
  sub->add_flag("--strict", options.strict,
                "exit 3 when a claim does not hold that the catalog does not list")
      ->group(group);
  sub->add_flag("--dry-run", options.dry_run, "what would be run, and what is missing; compute nothing")
      ->group(group);
  sub->add_flag("--json", options.json, "the scoreboard as JSON on stdout")->group(group);
  auto* quiet =
      sub->add_flag("--quiet", flags->quiet, "no progress and no log on stderr, errors only")->group(group);
  sub->add_flag("--verbose", flags->verbose, "more about what happens")->group(group)->excludes(quiet);
  sub->callback([flags, &action] { action = [flags] { return run(*flags); }; });
}

}  // namespace hrt
