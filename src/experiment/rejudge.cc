#include "hrt/experiment/rejudge.h"

#include <algorithm>
#include <unordered_map>

#include "hrt/base/file.h"
#include "hrt/base/hash.h"
#include "hrt/base/log.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/complete_run.h"
#include "hrt/experiment/versions.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

// The model's own reply decides where there is one, else what stands there already.
std::vector<Outcome> outcomes_of(const StoredRun& run, const std::vector<Json>& replies) {
  std::unordered_map<std::string, Outcome> by_reply;
  for (const Json& reply : replies) {
    if (reply.value("cell", "baseline") == "baseline")
      by_reply[reply.value("id", "")] = stored_outcome(reply.at("verdict"));
  }
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < run.prompt_lines().size(); ++i) {
    const auto reply = by_reply.find(run.set().prompts[i].record.id);
    outcomes.push_back(reply != by_reply.end()
                           ? reply->second
                           : stored_outcome(run.prompt_lines()[i].value("outcome", Json())));
  }
  return outcomes;
}

Json identity_of(const Json& config, const StoredRun& stored, const SecondJudge& judge) {
  Json identity{{"command", stored.manifest().at("command")},
                {"from", stored.manifest().at("identity")},
                {"replies", nullptr},
                {"judge", judge.identity()}};
  if (fs::exists(stored.file("replies.jsonl")))
    identity["replies"] = sha256_of_file(stored.file("replies.jsonl"));
  for (const char* key : {"pair", "category_directions"}) {
    if (config.contains(key)) identity[key] = config.at(key);
  }
  return identity;
}

void describe(RunDirectory& run, const Json& config, const Rejudged& rejudged) {
  const Json& stored = rejudged.stored.manifest();
  Json& manifest = run.manifest();
  manifest["versions"] = versions();
  manifest["command"] = stored.at("command");
  manifest["config"] = config;
  manifest["from"] = {{"run", fs::absolute(rejudged.stored.path()).string()}};
  for (const char* key : {"judge", "exit_code", "warnings"})
    manifest["from"][key] = stored.value(key, Json());
  for (const char* key :
       {"model", "template", "tokenizer", "device", "dtype", "threads", "row_identity", "counts"}) {
    if (stored.contains(key)) manifest[key] = stored.at(key);
  }
  manifest["judge"] = rejudged.judge.name();
}

void write_lines(const fs::path& path, const std::vector<Json>& lines) {
  AtomicFile file(path);
  for (const Json& line : lines) file.write(to_line(line) + "\n");
  file.commit();
}

void write_texts(RunDirectory& run, const Rejudged& rejudged) {
  if (!rejudged.replies.empty()) write_lines(run.file("replies.jsonl"), rejudged.replies);
  std::vector<Json> prompts = rejudged.stored.prompt_lines();
  for (std::size_t i = 0; i < prompts.size(); ++i) prompts[i]["outcome"] = outcome_name(rejudged.outcomes[i]);
  write_lines(run.file("prompts.jsonl"), prompts);
}

ExitCode end_of_stored(const StoredRun& run) {
  const JsonObject manifest(run.manifest(), run.file("manifest.json").string());
  const bool holds = !manifest.has("row_identity") || manifest.object("row_identity").boolean("holds", true);
  return holds ? ExitCode::kDone : ExitCode::kCheckFailed;
}

void check_judgeable(const StoredRun& stored, const Json& config, const std::vector<Json>& replies) {
  if (config.value("task", "reply") != "reply")
    throw InputError("{}: answers to an inversion's question are read, not judged", stored.path().string());
  const bool otherwise =
      !config.at("verdicts").is_null() || config.at("judge") != stored.config().at("judge");
  if (replies.empty() && otherwise)
    throw InputError("{}: the run holds no replies to judge", stored.path().string());
}

}  // namespace

std::int64_t Rejudged::unknown() const {
  return std::ranges::count_if(replies, [](const Json& line) { return line.at("verdict") == "unknown"; });
}

ExitCode rejudge(const StoredRun& stored, const Json& config, const RunOptions& options,
                 const WriteAgain& write) {
  const SecondJudge judge(config);
  Rejudged rejudged{stored, judge, stored.reply_lines(), {}};
  check_judgeable(stored, config, rejudged.replies);
  const ExitCode as_stored = end_of_stored(stored);
  const std::string unused = judge.judge_again(rejudged.replies);
  rejudged.outcomes = outcomes_of(stored, rejudged.replies);
  spdlog::info("{} replies of {}, judged by {}", rejudged.replies.size(), stored.path().string(),
               judge.name());
  if (options.dry_run) return ExitCode::kDone;

  const fs::path out = output_folder(config, options);
  RunDirectory run(out, options.if_exists, identity_of(config, stored, judge));
  if (run.complete()) return end_complete_run(run, options);
  log_to_file(run.file("log.txt"));
  describe(run, config, rejudged);
  if (!unused.empty()) run.warn(unused);
  write_texts(run, rejudged);
  const ExitCode code = worse(as_stored, write(run, rejudged));
  run.finish(static_cast<int>(code));
  return code;
}

}  // namespace hrt
