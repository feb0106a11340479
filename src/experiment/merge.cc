#include "hrt/experiment/merge.h"

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/extract_results.h"
#include "hrt/experiment/repeated_prompts.h"
#include "hrt/experiment/shard.h"
#include "hrt/experiment/stored_run.h"
#include "hrt/experiment/versions.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

Shard shard_of_run(const StoredRun& run) {
  const auto shard = shard_of(run.config());
  if (!shard) throw InputError("{}: no shard: it was run without --shard", run.path().string());
  return *shard;
}

// What all shards of a run have in common.
Json common_identity(const StoredRun& run) {
  Json identity = run.manifest().at("identity");
  identity.at("config").erase("shard");
  for (const char* key : {"batch_size", "group_size"})
    identity.erase(key);  // by sizes of the shard's own prompts
  return identity;
}

void check_same_run(const StoredRun& first, const StoredRun& other) {
  const Json difference = Json::diff(common_identity(first), common_identity(other));
  if (difference.empty()) return;
  throw InputError("{}: no shard of the same run as {}: {} differs", other.path().string(),
                   first.path().string(), difference.front().at("path").get<std::string>());
}

void check_ended_well(const StoredRun& run) {
  if (run.manifest().value("exit_code", 0) == 0) return;
  throw InputError("{}: this shard ended with exit code {}: its rows may not be its prompts' own",
                   run.path().string(), run.manifest().at("exit_code").get<int>());
}

// In order of the shards. Throws InputError.
std::vector<StoredRun> open_shards(const std::vector<fs::path>& paths) {
  std::vector<StoredRun> runs;
  for (const fs::path& path : paths) runs.emplace_back(path, Command::kExtract);
  std::ranges::stable_sort(runs, {}, [](const StoredRun& run) { return shard_of_run(run).index; });
  const std::int64_t count = shard_of_run(runs.front()).count;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Shard shard = shard_of_run(runs[i]);
    if (shard.count != count)
      throw InputError("{}: a shard of {}, but {} is one of {}", runs[i].path().string(), shard.count,
                       runs.front().path().string(), count);
    if (i > 0 && shard.index == shard_of_run(runs[i - 1]).index)
      throw InputError("{}: shard {}/{} is given twice, also by {}", runs[i].path().string(), shard.index, count,
                       runs[i - 1].path().string());
    check_same_run(runs.front(), runs[i]);
    check_ended_well(runs[i]);
  }
  return runs;
}

void check_none_missing(const std::vector<StoredRun>& runs) {
  std::vector<std::string> missing;
  const std::int64_t count = shard_of_run(runs.front()).count;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto is_it = [&](const StoredRun& run) { return shard_of_run(run).index == i; };
    if (std::ranges::none_of(runs, is_it)) missing.push_back(std::to_string(i));
  }
  if (missing.empty()) return;
  throw InputError("shard{} {} of {} {} missing", missing.size() == 1 ? "" : "s", join(missing, ", "), count,
                   missing.size() == 1 ? "is" : "are");
}

PromptSet all_prompts(const std::vector<StoredRun>& runs) {
  PromptSet set;
  set.specs = runs.front().set().specs;
  for (const StoredRun& run : runs)
    set.prompts.insert(set.prompts.end(), run.set().prompts.begin(), run.set().prompts.end());
  return set;
}

std::vector<Outcome> all_outcomes(const std::vector<StoredRun>& runs) {
  std::vector<Outcome> outcomes;
  for (const StoredRun& run : runs) {
    for (const Json& line : run.prompt_lines())
      outcomes.push_back(stored_outcome(line.value("outcome", Json())));
  }
  return outcomes;
}

std::int64_t unknown_replies(const std::vector<StoredRun>& runs) {
  std::int64_t unknown = 0;
  for (const StoredRun& run : runs)
    unknown += std::ranges::count_if(run.reply_lines(),
                                     [](const Json& line) { return line.at("verdict") == "unknown"; });
  return unknown;
}

void join_files(const std::vector<StoredRun>& runs, const std::string& name, const fs::path& to) {
  AtomicFile file(to);
  for (const StoredRun& run : runs) {
    if (fs::exists(run.file(name))) file.write(read_file(run.file(name)));
  }
  file.commit();
}

void join_activations(const std::vector<StoredRun>& runs, const PromptSet& set, const fs::path& to) {
  std::vector<SafetensorsFile> files;
  for (const StoredRun& run : runs) files.emplace_back(run.activations());
  const TensorInfo* rows = files.front().find(set.specs.front().name);
  const TensorInfo* logits = files.front().find("logits");
  if (rows == nullptr || rows->shape.size() != 3)
    throw InputError("{}: no rows of {}", runs.front().activations().string(), set.specs.front().name);
  const ActivationShape shape{rows->dtype, runs.front().rows(), rows->shape[2],
                              logits != nullptr ? logits->shape.back() : 0};
  std::vector<ActivationPart> parts;
  for (const SafetensorsFile& file : files)
    parts.emplace_back([&file](const std::string& name) { return file.tensor(name); });
  write_activations(to, set, shape, parts);
}

// The shards' checks as one: the worst of all.
Json worst_identity(const std::vector<StoredRun>& runs) {
  Json worst;
  std::int64_t prompts = 0;
  for (const StoredRun& run : runs) {
    const Json& identity = run.manifest().value("row_identity", Json());
    if (!identity.is_object()) continue;
    prompts += identity.value("prompts", std::int64_t{0});
    const auto difference = [](const Json& i) { return i.value("worst_relative_difference", 0.0); };
    if (worst.is_null() || difference(identity) > difference(worst)) worst = identity;
  }
  if (!worst.is_null()) worst["prompts"] = prompts;
  return worst;
}

void describe(RunDirectory& run, const std::vector<StoredRun>& runs, const PromptSet& set) {
  const Json& first = runs.front().manifest();
  Json& manifest = run.manifest();
  manifest.update(
      {{"versions", versions()}, {"command", first.at("command")}, {"config", first.at("config")}});
  manifest["config"]["shard"] = nullptr;
  manifest["config"]["out"] = run.path().string();
  for (const char* key : {"model", "template", "tokenizer", "judge", "device", "dtype", "threads"}) {
    if (first.contains(key)) manifest[key] = first.at(key);
  }
  if (Json worst = worst_identity(runs); !worst.is_null()) manifest["row_identity"] = std::move(worst);
  for (const StoredRun& shard : runs) manifest["shards"].push_back(fs::absolute(shard.path()).string());
  for (const std::string& warning : describe_repeats(set)) run.warn(warning);
}

}  // namespace

ExitCode run_merge(const std::vector<fs::path>& shards, const RunOptions& options) {
  const std::vector<StoredRun> runs = open_shards(shards);
  check_none_missing(runs);
  const PromptSet set = all_prompts(runs);
  const fs::path out = *options.out;
  for (const StoredRun& run : runs) {
    if (fs::exists(out) && fs::equivalent(out, run.path()))
      throw InputError("{}: is one of the shards", out.string());
  }
  RunDirectory run(out, options.if_exists, common_identity(runs.front()));
  if (run.complete()) {
    spdlog::info("{} is complete already", out.string());
    return static_cast<ExitCode>(run.manifest().at("exit_code").get<int>());
  }
  log_to_file(run.file("log.txt"));
  describe(run, runs, set);
  run.save();
  join_files(runs, "prompts.jsonl", run.file("prompts.jsonl"));
  if (fs::exists(runs.front().file("replies.jsonl")))
    join_files(runs, "replies.jsonl", run.file("replies.jsonl"));
  join_activations(runs, set, run.file("activations.safetensors"));
  const std::vector<Outcome> outcomes = all_outcomes(runs);
  const std::vector<std::int64_t> rows = runs.front().rows();
  const StoredRows captured(run.file("activations.safetensors"), set, rows.size());
  const ExtractInput input{set, outcomes, captured, rows, unknown_replies(runs)};
  const bool raw = runs.front().template_name() == "raw";
  const ExitCode code = write_extraction(run, input, direction_request(runs.front().config(), raw), options);
  run.finish(static_cast<int>(code));
  return code;
}

}  // namespace hrt
