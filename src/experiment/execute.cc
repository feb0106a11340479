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

fs::path output_folder(const Json& config) {
  if (config.at("out").is_null() || config.at("out") == "") throw InputError("no output folder: give --out RUN");
  return fs::absolute(config.at("out").get<std::string>());
}

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

// Computes what is missing. The replies of earlier groups are streamed again, so that `replies.jsonl.partial`
// is whole.
void compute(const PromptRun& prompts, RunDirectory& run, GroupRunner& groups, const Decoder& decoder) {
  ReplyStream stream(run.file("replies.jsonl.partial"));
  const auto listen = [&](const PreparedPrompt& prompt, const Reply& reply) {
    stream.add(reply_line(prompt, judge_reply(reply, prompts.text().tokenizer.get(), prompts.judge())));
  };
  for (std::size_t g = 0; g < groups.groups().size(); ++g) {
    if (!groups.is_done(g)) continue;
    const auto replies = groups.result(g).replies();
    for (std::size_t i = 0; i < replies.size(); ++i) {
      const auto prompt = static_cast<std::size_t>(groups.groups()[g].begin) + i;
      if (replies[i]) listen(prompts.set().prompts[prompt], *replies[i]);
    }
  }
  spdlog::info("{} prompts, {} tokens; template {}; {} in {}", prompts.set().prompts.size(),
               prompts.estimate().prompt_tokens, prompts.text().chat.name(), prompts.device().str(),
               dtype_name(prompts.dtype()));
  EngineStats stats;
  groups.run(decoder, prompts.batch_size(), listen, stats);
  run.manifest()["timing"].update({{"prefill_s", stats.prefill_s},
                                   {"decode_s", stats.decode_s},
                                   {"prefill_tokens", stats.prefill_tokens},
                                   {"decode_tokens", stats.decode_tokens},
                                   {"batch_size", prompts.batch_size()}});
  spdlog::info("computed {} prompt tokens in {} and {} new ones in {}", stats.prefill_tokens,
               human_seconds(stats.prefill_s), stats.decode_tokens, human_seconds(stats.decode_s));
}

ExitCode verify(const PromptRun& prompts, RunDirectory& run, const GroupRunner& groups,
                const Decoder& decoder) {
  const double share = prompts.config().at("verify");
  if (share == 0) return ExitCode::kDone;
  const auto seed = prompts.config().at("seed").get<std::uint64_t>();
  const RowIdentity identity =
      check_row_identity(decoder, prompts.set(), prompts.work(), groups, share, seed);
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

ExitCode worse(ExitCode a, ExitCode b) { return a == ExitCode::kDone ? b : a; }

}  // namespace

ExitCode execute(const PromptRun& prompts, const RunOptions& options,
                 const std::function<ExitCode(const Computed&)>& write) {
  const c10::InferenceMode inference;
  if (options.dry_run) {
    prompts.print_plan(options.json);
    return ExitCode::kDone;
  }
  const fs::path out = output_folder(prompts.config());
  RunDirectory run(out, options.if_exists, prompts.identity());
  if (run.complete()) {
    spdlog::info("{} is complete already", out.string());
    return static_cast<ExitCode>(run.manifest().at("exit_code").get<int>());
  }
  check_disk(out, prompts.estimate());
  log_to_file(run.file("log.txt"));
  prompts.describe(run);
  run.save();

  GroupRunner groups(
      run, prompts.set(), prompts.work(),
      cut_groups(static_cast<std::int64_t>(prompts.set().prompts.size()), prompts.group_size()));
  const Decoder decoder = load(prompts, run);
  compute(prompts, run, groups, decoder);
  const ExitCode checked = verify(prompts, run, groups, decoder);
  const ExitCode written = write({prompts, run, groups});
  const ExitCode code = worse(checked, written);
  run.finish(static_cast<int>(code));
  return code;
}

}  // namespace hrt
