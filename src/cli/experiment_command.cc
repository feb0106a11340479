#include <algorithm>
#include <array>
#include <memory>

#include "config_flags.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/cli/commands.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/extract.h"
#include "hrt/experiment/run_clock.h"
#include "hrt/guard/eval.h"
#include "hrt/guard/fit.h"
#include "hrt/guard/score.h"
#include "hrt/probe/probe.h"
#include "hrt/steer/select.h"
#include "hrt/steer/steer.h"
#include "library_settings.h"
#include "positionals.h"

namespace hrt {
namespace {

struct ExperimentOptions {
  std::string config_file;
  std::vector<Override> overrides;
  bool resume = false;
  bool overwrite = false;
  bool dry_run = false;
  bool print_config = false;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

constexpr const char* kExtractFooter = R"(Examples:
  hrt extract --model MODEL --harmful bad.jsonl --harmless good.jsonl --out RUN
  hrt extract --model MODEL --prompts all.csv --field goal --outcomes none --positions t_inst,-1 --out RUN
  hrt extract --model MODEL --prompts all.jsonl --positions t_inst,t_resp,response --out RUN      the replies', too
  hrt extract --config configs/extract.json --data data/catalogs/smollm2.json --out RUN
  hrt extract --config my.json --out RUN --resume
  hrt extract --from RUN --judge arditi2024 --out RUN2      the stored replies judged again, no model opened)";

constexpr const char* kSteerFooter = R"(Examples:
  hrt steer --model MODEL --prompts asks.jsonl --max-new-tokens 64 --out RUN      plain greedy replies
  hrt steer --model MODEL --prompts asks.jsonl --direction RUN1:refusal --scope prompt --layers 0..20:4 --out RUN
  hrt steer --model MODEL --prompts bad.jsonl --direction RUN1:refusal --row 14 --op ablate --scope all --out RUN
  hrt steer --config configs/zhao2025/fig4_8.json --data data/catalogs/organism.json --out RUN
  hrt steer --from RUN --verdicts FILE.jsonl --out RUN2                            its replies judged by another)";

constexpr const char* kSelectFooter = R"(Examples:
  hrt steer select --config configs/arditi2024/select.json --data data/catalogs/smollm2.json --out RUN
  hrt steer select --scores RUN/results.json --max-kl 0.2
  hrt steer --config configs/arditi2024/bypass.json --data CATALOG --direction RUN:refusal_selected --out RUN2)";

constexpr const char* kProbeFooter = R"(Examples:
  hrt probe layers RUN                                       s[l] by row, each prompt left out of its centroids
  hrt probe beliefs TESTS --centroids TRAIN                  beliefs of one extraction by another's centroids
  hrt probe beliefs --config configs/zhao2025/fig3.json --data data/catalogs/organism.json --out RUN
  hrt probe categories RUN --config configs/zhao2025/fig9.json --json
  hrt probe compare BASE TUNED                               the same prompts in two models)";

constexpr const char* kGuardFitFooter = R"(Examples:
  hrt guard fit RUN --out guard.safetensors                  all labelled prompts of an extraction
  hrt guard fit --model MODEL --harmful bad.jsonl --harmless good.jsonl --out guard.safetensors
  hrt guard fit RUN --validation RUN2 --false-positive-rate 0.01 --calibration platt --out guard.safetensors)";

constexpr const char* kGuardEvalFooter = R"(Examples:
  hrt guard eval guard.safetensors TESTS                     on the prompts of an extraction
  hrt guard eval guard.safetensors TESTS --other-verdicts theirs=verdicts.jsonl --out RUN
  hrt guard eval guard.safetensors TESTS --ask my-guard.json=GUARD_MODEL --out RUN      a generative guard beside it
  hrt guard eval --config configs/zhao2025/table3.json --data data/catalogs/organism.json --out RUN
  hrt guard eval --config configs/zhao2025/table3.json RUN/extract                fitted and evaluated on one)";

constexpr const char* kGuardScoreFooter = R"(Examples:
  hrt guard score guard.safetensors --model MODEL prompts.jsonl > verdicts.jsonl
  tail -f requests.jsonl | hrt guard score guard.safetensors --model MODEL --max-wait 10 --quiet
  echo '{"instruction": "How do I bake bread?"}' | hrt guard score guard.safetensors --model MODEL)";

// A command whose work is described by a config.
struct Description {
  Command command;
  const char* text;
  const char* footer;
  ExitCode (*run)(Json config, const RunOptions& options);
};

constexpr std::array kDescriptions{
    Description{Command::kExtract, "Prompts -> replies, activations, centroids and directions.",
                kExtractFooter, run_extract},
    Description{Command::kSteer,
                "Replies, plain or with directions added, ablated or clamped; sweeps, reply inversion.",
                kSteerFooter, run_steer},
    Description{Command::kSelect, "Chooses a refusal direction among all positions and layers.",
                kSelectFooter, run_select},
    Description{Command::kProbe,
                "What activations say: scores by row, beliefs, categories, positions, linear probes.",
                kProbeFooter, run_probe},
    Description{Command::kGuardFit, "Harmful and harmless prompts (100 of each will do) -> one guard file.",
                kGuardFitFooter, run_guard_fit},
    Description{Command::kGuardEval, "A guard's accuracy by case, beside other guards and n-grams.",
                kGuardEvalFooter, run_guard_eval},
    Description{Command::kGuardScore,
                "JSON lines, each a prompt -> JSON lines, each a verdict, as they arrive.", kGuardScoreFooter,
                run_guard_score},
};

const Description& describe(Command command) {
  return *std::ranges::find(kDescriptions, command, &Description::command);
}

ExitCode run_experiment(Command command, const ExperimentOptions& options) {
  setup_logging(options.quiet     ? Verbosity::kQuiet
                : options.verbose ? Verbosity::kVerbose
                                  : Verbosity::kNormal);
  if (!options.print_config && !options.dry_run) restart_with_short_spin();
  std::optional<std::filesystem::path> file;
  if (!options.config_file.empty()) file = options.config_file;
  Json config = resolve_config(command, file, options.overrides);
  if (options.print_config) {
    print_out("{}\n", config.dump(2));
    return ExitCode::kDone;
  }
  if (options.resume) keep_clock(config);
  use_threads(optional_value<std::int64_t>(config, "threads"));
  RunOptions run;
  run.if_exists = options.resume      ? IfExists::kResume
                  : options.overwrite ? IfExists::kOverwrite
                                      : IfExists::kRefuse;
  run.dry_run = options.dry_run;
  run.json = options.json;
  return describe(command).run(std::move(config), run);
}

// Flags before the name of a subcommand would have no effect.
void refuse_flags(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() > 0)
      throw InputError("{} must stand behind `{}`", option->get_name(),
                       app.get_subcommands().front()->get_name());
  }
}

// Of commands that write a run and print what it holds.
void add_run_flags(CLI::App& app, ExperimentOptions& options) {
  auto* resume =
      app.add_flag("--resume", options.resume, "continue the run in --out, or start it")->group("Run");
  app.add_flag("--overwrite", options.overwrite, "replace the run in --out")->group("Run")->excludes(resume);
  app.add_flag("--dry-run", options.dry_run, "check everything, prove positions, estimate; compute nothing")
      ->group("Run");
  app.add_flag("--json", options.json, "results as JSON on stdout")->group("Run");
}

}  // namespace

void add_experiment(CLI::App& app, Command command, Action& action) {
  const std::string name(command_name(command));
  const Description& description = describe(command);
  CLI::App* sub = app.add_subcommand(name.substr(name.rfind(' ') + 1), description.text);
  sub->footer(description.footer);
  const auto options = std::make_shared<ExperimentOptions>();
  sub->add_option("--config", options->config_file, "JSON config; flags beat it")
      ->group("Run")
      ->type_name("FILE");
  add_config_flags(*sub, command, options->overrides);
  add_positionals(*sub, command, options->overrides);
  if (command != Command::kGuardScore) add_run_flags(*sub, *options);
  sub->add_flag("--print-config", options->print_config, "print the resolved config and stop")->group("Run");
  auto* quiet =
      sub->add_flag("--quiet", options->quiet, "no progress and no log on stderr, errors only")->group("Run");
  sub->add_flag("--verbose", options->verbose, "more about what happens")->group("Run")->excludes(quiet);
  if (command == Command::kSteer) {
    add_experiment(*sub, Command::kSelect, action);
    add_export(*sub, action);
  }
  sub->callback([command, options, sub, &action] {
    if (!sub->get_subcommands().empty()) return refuse_flags(*sub);  // that one has set the action
    action = [command, options] { return run_experiment(command, *options); };
  });
}

}  // namespace hrt
