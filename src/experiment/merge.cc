#include "hrt/experiment/merge.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_map>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/complete_run.h"
#include "hrt/experiment/extract_results.h"
#include "hrt/experiment/repeated_prompts.h"
#include "hrt/experiment/versions.h"
#include "stored_shard.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

void check_same_run(const StoredShard& first, const StoredShard& other) {
  const Json difference = Json::diff(first.identity, other.identity);
  if (difference.empty()) return;
  throw InputError("{}: no shard of the same run as {}: {} differs", other.run.path().string(),
                   first.run.path().string(), difference.front().at("path").get<std::string>());
}

// In order of the shards. Throws InputError.
std::vector<StoredShard> open_shards(const std::vector<fs::path>& paths) {
  std::vector<StoredShard> shards(paths.begin(), paths.end());
  std::ranges::stable_sort(shards, {}, [](const StoredShard& shard) { return shard.shard.index; });
  const StoredShard& first = shards.front();
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const auto& [index, count] = shards[i].shard;
    const std::string path = shards[i].run.path().string();
    if (count != first.shard.count)
      throw InputError("{}: a shard of {}, but {} is one of {}", path, count, first.run.path().string(),
                       first.shard.count);
    if (i > 0 && index == shards[i - 1].shard.index)
      throw InputError("{}: shard {}/{} is given twice, also by {}", path, index, count,
                       shards[i - 1].run.path().string());
    check_same_run(first, shards[i]);
  }
  return shards;
}

// Rows that fit their shard's prompts, and the other shards' rows.
void check_activations(const std::vector<StoredShard>& shards) {
  const std::vector<std::int64_t> rows = shards.front().run.rows();
  const SafetensorsFile first(shards.front().run.activations());
  for (const StoredShard& shard : shards) {
    const fs::path path = shard.run.activations();
    StoredRows(path, shard.run.set(), rows);
    const SafetensorsFile file(path);
    for (const PositionSpec& spec : shard.run.set().specs) {
      const TensorInfo& here = *file.find(spec.name);
      const TensorInfo& there = *first.find(spec.name);
      if (here.dtype == there.dtype && here.shape.back() == there.shape.back()) continue;
      throw InputError("{}: {} has rows of another size or dtype than in {}", path.string(), spec.name,
                       shards.front().run.activations().string());
    }
  }
}

void check_none_missing(const std::vector<StoredShard>& shards) {
  std::vector<std::string> missing;
  const std::int64_t count = shards.front().shard.count;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto is_it = [&](const StoredShard& shard) { return shard.shard.index == i; };
    if (std::ranges::none_of(shards, is_it)) missing.push_back(std::to_string(i));
  }
  if (missing.empty()) return;
  throw InputError("shard{} {} of {} {} missing", missing.size() == 1 ? "" : "s", join(missing, ", "), count,
                   missing.size() == 1 ? "is" : "are");
}

void check_ids(const std::vector<StoredShard>& shards) {
  std::unordered_map<std::string_view, const StoredShard*> seen;
  for (const StoredShard& shard : shards) {
    for (const PreparedPrompt& prompt : shard.run.set().prompts) {
      const auto [first, added] = seen.emplace(prompt.record.id, &shard);
      if (!added)
        throw InputError("{}: prompt \"{}\" is also in {}", shard.run.file("prompts.jsonl").string(),
                         escape_for_terminal(prompt.record.id), first->second->run.path().string());
    }
  }
}

PromptSet all_prompts(const std::vector<StoredShard>& shards) {
  PromptSet set;
  set.specs = shards.front().run.set().specs;
  for (const StoredShard& shard : shards)
    std::ranges::copy(shard.run.set().prompts, std::back_inserter(set.prompts));
  return set;
}

std::vector<Outcome> all_outcomes(const std::vector<StoredShard>& shards) {
  std::vector<Outcome> outcomes;
  for (const StoredShard& shard : shards) {
    for (const Json& line : shard.run.prompt_lines())
      outcomes.push_back(stored_outcome(line.value("outcome", Json())));
  }
  return outcomes;
}

std::int64_t sum_of(const std::vector<StoredShard>& shards, std::int64_t StoredShard::* count) {
  std::int64_t sum = 0;
  for (const StoredShard& shard : shards) sum += shard.*count;
  return sum;
}

void join_files(const std::vector<StoredShard>& shards, const std::string& name, const fs::path& to) {
  AtomicFile file(to);
  for (const StoredShard& shard : shards) {
    if (fs::exists(shard.run.file(name))) file.write(read_file(shard.run.file(name)));
  }
  file.commit();
}

void join_activations(const std::vector<StoredShard>& shards, const PromptSet& set, const fs::path& to) {
  std::vector<SafetensorsFile> files;
  for (const StoredShard& shard : shards) files.emplace_back(shard.run.activations());
  const StoredRun& first = shards.front().run;
  const TensorInfo& rows = *files.front().find(set.specs.front().name);
  const TensorInfo* logits = files.front().find("logits");
  const ActivationShape shape{rows.dtype, first.rows(), rows.shape.back(),
                              logits != nullptr ? logits->shape.back() : 0};
  std::vector<ActivationPart> parts;
  for (const SafetensorsFile& file : files)
    parts.emplace_back([&file](const std::string& name) { return file.tensor(name); });
  write_activations(to, set, shape, parts);
}

// The shards' checks as one: the worst of all, with the counts of all.
Json worst_identity(const std::vector<StoredShard>& shards) {
  Json worst;
  std::map<std::string_view, std::int64_t> sums;
  for (const StoredShard& shard : shards) {
    const Json& identity = shard.row_identity;
    if (identity.is_null()) continue;
    for (const char* count : StoredShard::kIdentityCounts)
      sums[count] += identity.at(count).get<std::int64_t>();
    const auto difference = [](const Json& i) { return i.at("worst_relative_difference").get<double>(); };
    if (worst.is_null() || difference(identity) > difference(worst)) worst = identity;
  }
  for (const auto& [count, sum] : sums) worst[count] = sum;
  return worst;
}

// Of the first shard, with the prompts of all counted.
Json template_of(const std::vector<StoredShard>& shards) {
  Json whole = shards.front().run.manifest().at("template");
  for (const char* count : StoredShard::kTemplateCounts) {
    std::int64_t sum = 0;
    for (const StoredShard& shard : shards)
      sum += shard.run.manifest().at("template").at(count).get<std::int64_t>();
    whole[count] = sum;
  }
  return whole;
}

// What every shard warns of stands once. Prompts that repeat are told of the whole.
void carry_warnings(RunDirectory& run, const std::vector<StoredShard>& shards) {
  for (const StoredShard& shard : shards) {
    const std::vector<std::string> repeats = describe_repeats(shard.run.set());
    for (const std::string& warning : shard.warnings) {
      if (std::ranges::count(repeats, warning) > 0) continue;
      const auto has_it = [&](const StoredShard& other) {
        return std::ranges::count(other.warnings, warning) > 0;
      };
      const bool all = std::ranges::all_of(shards, has_it);
      run.warn(all ? warning : fmt::format("shard {}/{}: {}", shard.shard.index, shard.shard.count, warning));
    }
  }
}

void describe(RunDirectory& run, const std::vector<StoredShard>& shards, const PromptSet& set) {
  const Json& first = shards.front().run.manifest();
  Json& manifest = run.manifest();
  manifest.update(
      {{"versions", versions()}, {"command", first.at("command")}, {"config", first.at("config")}});
  manifest["config"]["shard"] = nullptr;
  manifest["config"]["out"] = run.path().string();
  for (const char* key : {"model", "tokenizer", "judge", "device", "dtype", "threads"}) {
    if (first.contains(key)) manifest[key] = first.at(key);
  }
  manifest["template"] = template_of(shards);
  manifest["counts"]["replies"] = sum_of(shards, &StoredShard::replies);
  if (Json worst = worst_identity(shards); !worst.is_null()) manifest["row_identity"] = std::move(worst);
  manifest["shards"] = Json::array();
  for (const StoredShard& shard : shards)
    manifest["shards"].push_back(fs::absolute(shard.run.path()).string());
  for (const std::string& warning : describe_repeats(set)) run.warn(warning);
  carry_warnings(run, shards);
}

}  // namespace

ExitCode run_merge(const std::vector<fs::path>& paths, const RunOptions& options) {
  const std::vector<StoredShard> shards = open_shards(paths);
  check_none_missing(shards);
  check_activations(shards);
  check_ids(shards);
  const PromptSet set = all_prompts(shards);
  const fs::path out = *options.out;
  for (const StoredShard& shard : shards) {
    if (fs::exists(out) && fs::equivalent(out, shard.run.path()))
      throw InputError("{}: is one of the shards", out.string());
  }
  const StoredRun& first = shards.front().run;
  RunDirectory run(out, options.if_exists, shards.front().identity);
  if (run.complete()) return end_complete_run(run, options);
  log_to_file(run.file("log.txt"));
  describe(run, shards, set);
  run.save();
  join_files(shards, "prompts.jsonl", run.file("prompts.jsonl"));
  if (fs::exists(first.file("replies.jsonl"))) join_files(shards, "replies.jsonl", run.file("replies.jsonl"));
  join_activations(shards, set, run.file("activations.safetensors"));
  const std::vector<Outcome> outcomes = all_outcomes(shards);
  const std::vector<std::int64_t> rows = first.rows();
  const StoredRows captured(run.file("activations.safetensors"), set, rows);
  const ExtractInput input{set, outcomes, captured, rows, sum_of(shards, &StoredShard::unknown_replies)};
  const bool raw = first.template_name() == "raw";
  const ExitCode code = write_extraction(run, input, direction_request(first.config(), raw), options);
  run.finish(static_cast<int>(code));
  return code;
}

}  // namespace hrt
