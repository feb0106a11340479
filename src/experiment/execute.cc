#include "hrt/experiment/execute.h"

#include <c10/core/InferenceMode.h>

#include <chrono>

#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/complete_run.h"
#include "hrt/experiment/replies.h"
#include "hrt/experiment/row_identity.h"
#include "hrt/model/device.h"
#include "output_check.h"
#include "prompt_change.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

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
  spdlog::info("{}, {}; template {}; {} in {}", counted(prompts.set().prompts.size(), "prompt"),
               counted(static_cast<std::size_t>(prompts.estimate().prompt_tokens), "token"),
               prompts.text().chat.name(), prompts.device().str(), dtype_name(prompts.dtype()));
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
    spdlog::info("row identity holds: {} computed again alone, rows within {:.1e} (limit {:.0e})",
                 counted(static_cast<std::size_t>(identity.prompts), "prompt"), identity.worst,
                 identity.tolerance);
    return ExitCode::kDone;
  }
  run.warn(fmt::format(
      "row identity does not hold: prompt {}, {} row {} differs by {:.2g} (at most {:.2g} expected)",
      identity.worst_prompt, identity.worst_position, identity.worst_row, identity.worst,
      identity.tolerance));
  return ExitCode::kCheckFailed;
}

// From every run that a config's `value` names, as RUN or as RUN:DIRECTION.
void check_apart_from_runs(const fs::path& out, const Json& value) {
  if (value.is_structured()) {
    for (const Json& item : value) check_apart_from_runs(out, item);
  }
  if (!value.is_string()) return;
  const auto& text = value.get_ref<const std::string&>();
  for (const std::string& run : {text, text.substr(0, text.rfind(':'))}) {
    std::error_code none;
    if (!run.empty() && fs::exists(fs::path(run) / "manifest.json", none)) check_apart(out, run);
  }
}

// Without an output folder all but that is checked.
ExitCode dry_run(const PromptRun& prompts, const RunOptions& options, const Json& identity,
                 const Experiment& experiment) {
  std::string output = "none given (--out RUN)";
  if (options.out || !prompts.config().at("out").is_null()) {
    const fs::path out = output_folder(prompts.config(), options);
    const Found found = check_output(out, options.if_exists, prompts, identity);
    output = fmt::format("{}: {}", out.string(), in_words(found, options.if_exists));
  }
  prompts.print_plan(output, experiment.plan(), experiment.warnings(), options.json);
  return ExitCode::kDone;
}

}  // namespace

fs::path output_folder(const Json& config, const RunOptions& options) {
  if (!options.out && (config.at("out").is_null() || config.at("out") == ""))
    throw InputError("no output folder: give --out RUN");
  const fs::path out = options.out ? *options.out : fs::absolute(config.at("out").get<std::string>());
  for (const auto& [key, value] : config.items()) {
    if (key != "out") check_apart_from_runs(out, value);
  }
  return out;
}

ExitCode execute(const PromptRun& prompts, const RunOptions& options, Experiment& experiment) {
  const c10::InferenceMode inference;
  Json identity = prompts.identity();
  identity.update(experiment.identity());
  if (options.dry_run) return dry_run(prompts, options, identity, experiment);
  const fs::path out = output_folder(prompts.config(), options);
  check_output(out, options.if_exists, prompts, identity);
  RunDirectory run(out, options.if_exists, identity);
  if (run.complete()) return end_complete_run(run, options);
  log_to_file(run.file("log.txt"));
  prompts.describe(run);
  for (const std::string& warning : experiment.warnings()) run.warn(warning);
  run.save();
  keep_prompts(run.path(), prompts.set());

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
