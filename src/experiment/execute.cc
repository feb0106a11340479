#include "hrt/experiment/execute.h"

#include <c10/core/InferenceMode.h>

#include <chrono>

#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/replies.h"
#include "hrt/experiment/row_identity.h"
#include "hrt/model/device.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

void check_disk(const fs::path& run, const Estimate& estimate) {
  const auto available = fs::space(run).available;
  if (available >= estimate.disk_bytes) return;
  throw RunError("{}: {} are needed, {} are free", run.string(), human_bytes(estimate.disk_bytes),
                 human_bytes(available));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Decoder load(const PromptRun& prompts, RunDirectory& run) {
  const auto start = std::chrono::steady_clock::now();
  Decoder decoder = prompts.load();
  run.manifest()["timing"]["load_s"] = seconds_since(start);
  return decoder;
}

void compute(const PromptRun& prompts, RunDirectory& run, GroupedWork& work, const Decoder& decoder) {
  spdlog::info("{} prompts, {} tokens; template {}; {} in {}", prompts.set().prompts.size(),
               prompts.estimate().prompt_tokens, prompts.text().chat.name(), prompts.device().str(),
               dtype_name(prompts.dtype()));
  ReplyStream stream(run.file("replies.jsonl.partial"));
  EngineStats stats;
  work.run(decoder, stream, stats);
  run.manifest()["timing"].update({{"prefill_s", stats.prefill_s},
                                   {"decode_s", stats.decode_s},
                                   {"prefill_tokens", stats.prefill_tokens},
                                   {"spared_tokens", stats.spared_tokens},
                                   {"decode_tokens", stats.decode_tokens},
                                   {"decode_passes", stats.decode_passes},
                                   {"batch_size", prompts.batch_size()}});
  spdlog::info("computed {} prompt tokens in {} and {} new ones in {}", stats.prefill_tokens,
               human_seconds(stats.prefill_s), stats.decode_tokens, human_seconds(stats.decode_s));
}

ExitCode verify(const PromptRun& prompts, RunDirectory& run, Experiment& experiment, const Decoder& decoder) {
  if (prompts.config().at("verify") == 0) return ExitCode::kDone;
  const RowIdentity identity = experiment.verify(decoder);
  run.manifest()["row_identity"] = identity.to_json();
  if (identity.holds()) {
    spdlog::info("row identity holds: {} prompts computed again alone, rows within {:.1e} (limit {:.0e})",
                 identity.prompts, identity.worst, identity.tolerance);
    return ExitCode::kDone;
  }
  run.warn(fmt::format(
      "row identity does not hold: prompt {}, {} row {} differs by {:.2g} (at most {:.2g} expected)",
      escape_for_terminal(identity.worst_prompt), identity.worst_position, identity.worst_row, identity.worst,
      identity.tolerance));
  return ExitCode::kCheckFailed;
}

}  // namespace

fs::path output_folder(const Json& config, const RunOptions& options) {
  if (options.out) return *options.out;
  if (config.at("out").is_null() || config.at("out") == "")
    throw InputError("no output folder: give --out RUN");
  return fs::absolute(config.at("out").get<std::string>());
}

ExitCode execute(const PromptRun& prompts, const RunOptions& options, Experiment& experiment) {
  const c10::InferenceMode inference;
  if (options.dry_run) {
    prompts.print_plan(options.json);
    return ExitCode::kDone;
  }
  const fs::path out = output_folder(prompts.config(), options);
  Json identity = prompts.identity();
  identity.update(experiment.identity());
  RunDirectory run(out, options.if_exists, identity);
  if (run.complete()) {
    spdlog::info("{} is complete already", out.string());
    return static_cast<ExitCode>(run.manifest().at("exit_code").get<int>());
  }
  check_disk(out, prompts.estimate());
  log_to_file(run.file("log.txt"));
  prompts.describe(run);
  run.save();

  experiment.begin(run);
  const Decoder decoder = load(prompts, run);
  compute(prompts, run, experiment.work(), decoder);
  const ExitCode checked = verify(prompts, run, experiment, decoder);
  const ExitCode written = experiment.write(run);
  const ExitCode code = worse(checked, written);
  run.finish(static_cast<int>(code));
  return code;
}

}  // namespace hrt
