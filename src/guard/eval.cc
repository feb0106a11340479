#include "hrt/guard/eval.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <set>

#include "answers.h"
#include "asked_guards.h"
#include "eval_report.h"
#include "first_extraction.h"
#include "guard_runs.h"
#include "hrt/base/file.h"
#include "hrt/base/hash.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/page.h"
#include "hrt/base/page_output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/complete_run.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/versions.h"
#include "hrt/guard/describe.h"
#include "hrt/guard/fit.h"
#include "hrt/guard/guard_file.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

using Runs = std::vector<std::string>;

Runs runs_of(const Json& config) { return config.at("runs").get<Runs>(); }

bool names_training(const Json& config) {
  return !config.at("harmful").empty() || !config.at("harmless").empty();
}

// A guard's name is a column of the tables, and of those that are asked a folder in OUT.
void check_names(const Json& config, const AskedGuards& asked) {
  std::set<std::string> taken{kOwnName, kNgramName, "extract"};
  const auto take = [&](const char* key, const std::string& name) {
    if (!taken.insert(name).second) throw InputError("/{}: {} is taken", key, escape_for_terminal(name));
  };
  for (const auto& [name, file] : config.at("other_verdicts").items()) take("other_verdicts", name);
  for (const std::string& name : asked.names()) take("ask", name);
}

void check(const Json& config) {
  const bool file = !config.at("guard").is_null();
  if (!file && !names_training(config))
    throw InputError("no guard: give GUARD, or training prompts (harmful, harmless) in the config");
  if (file && names_training(config))
    spdlog::info("the guard is {}: the config's training prompts are not used",
                 config.at("guard").get<std::string>());
  if (!file && config.at("prompts").empty())
    throw InputError("no prompts to evaluate the guard on: give --prompts, or roles in the config");
  if (!config.at("ask").empty() && config.at("out").is_null())
    throw InputError("a guard that is asked writes its replies: give --out RUN");
  if (runs_of(config).empty() && config.at("out").is_null())
    throw InputError("no run: give RUN, an extraction, or prompts in the config and --out RUN");
}

// A guard file's training prompts are known already.
Json prompts_to_extract(Json config) {
  if (!config.at("guard").is_null()) config["harmful"] = config["harmless"] = Json::array();
  return config;
}

// By the paper's rule.
Guard fit_here(const Json& config, const Runs& runs) {
  FitRequest request;
  request.runs = runs;
  request.harmful = config.at("harmful");
  request.harmless = config.at("harmless");
  return fit_guard(request);
}

// Prefill time a prompt, of all runs; of runs in batches and to the depth that they were made with.
Json latency_json(const std::vector<StoredRun>& runs) {
  double seconds = 0;
  std::int64_t prompts = 0;
  for (const StoredRun& run : runs) {
    const JsonObject manifest(run.manifest(), run.file("manifest.json").string());
    if (!manifest.has("timing") || !manifest.object("timing").has("prefill_s"))
      return {{"ms_per_prompt", nullptr}, {"reason", run.path().string() + " holds no times"}};
    seconds += manifest.object("timing").number("prefill_s");
    prompts += static_cast<std::int64_t>(run.set().prompts.size());
  }
  return {{"ms_per_prompt", prompts > 0 ? Json(1000 * seconds / static_cast<double>(prompts)) : Json()},
          {"prompts", prompts},
          {"device", runs.front().manifest().value("device", Json())},
          {"dtype", runs.front().dtype()}};
}

Json guard_json(const Guard& guard, const Json& config) {
  Json json{{"file", config.at("guard")}};
  json.update(rule_json(guard));
  json["training"] = {{"harmful", guard.harmful_count}, {"harmless", guard.harmless_count}};
  json["provenance"] = guard.provenance;
  return json;
}

struct Evaluation {
  Json results;
  std::map<std::string, std::string> tables;
  std::string page;
};

std::string heading(const Guard& guard, const Json& results) {
  Page page("Guard");
  const Json& file = results.at("guard").at("file");
  page.add("guard", file.is_null() ? "fitted here" : plain(file));
  add_rule(page, guard);
  const Json& latency = results.at("latency").at("ms_per_prompt");
  if (!latency.is_null())
    page.add("time", fmt::format("{:.2f} ms a prompt, as the run computed it (in batches, all its rows)",
                                 latency.get<double>()));
  const Json& baseline = results.at("ngrams");
  page.add("n-grams", baseline.at("reason").is_null()
                          ? fmt::format("words and pairs of words, fitted to {} harmful and {} harmless of "
                                        "the guard's training prompts",
                                        baseline.at("harmful").get<int>(), baseline.at("harmless").get<int>())
                          : plain(baseline.at("reason")));
  return page.text();
}

// Answers of others: out of files, and of the guards that are asked, in `out`.
std::vector<GuardAnswers> other_answers(const Json& config, const AskedGuards& asked,
                                        const std::optional<fs::path>& out,
                                        const std::vector<ProbePrompt>& prompts) {
  std::vector<GuardAnswers> guards;
  for (const auto& [name, file] : config.at("other_verdicts").items())
    guards.push_back(read_answers(name, file.get<std::string>(), prompts));
  if (!out) return guards;
  for (const auto& [name, run] : asked.ask(*out, prompts)) guards.push_back(read_answers(name, run, prompts));
  return guards;
}

// What an evaluation needs beside the prompts. All of it is checked before anything is written.
struct Guards {
  std::optional<Guard> from_file;
  AskedGuards asked;
};

Evaluation evaluate(const Json& config, const Guards& given, const Runs& runs,
                    const std::optional<fs::path>& out) {
  const Guard guard = given.from_file ? *given.from_file : fit_here(config, runs);
  std::vector<StoredRun> stored;
  for (const std::string& run : runs) check_fits(guard, stored.emplace_back(run, Command::kExtract));
  const auto source = open_prompts(runs, config.at("prompts"));
  const std::vector<ProbePrompt>& prompts = source->prompts();
  check_overlap(guard, prompts, config.at("allow_overlap"));

  std::vector<GuardAnswers> guards{own_answers(guard, *source)};
  for (GuardAnswers& others : other_answers(config, given.asked, out, prompts))
    guards.push_back(std::move(others));
  const auto training = optional_value<std::string>(config, "ngrams");
  const NgramBaseline baseline =
      ngram_answers(guard, training ? Runs{*training} : guard.provenance.at("runs").get<Runs>(), prompts);
  if (baseline.answers) guards.push_back(*baseline.answers);

  const EvalReport report(prompts, guards, config.at("case_by").get<std::vector<std::string>>());
  Json results{{"guard", guard_json(guard, config)},
               {"runs", runs},
               {"overlap", describe_overlap(guard, prompts)},
               {"latency", latency_json(stored)},
               {"ngrams",
                {{"harmful", baseline.harmful},
                 {"harmless", baseline.harmless},
                 {"reason", baseline.reason.empty() ? Json() : Json(baseline.reason)}}}};
  results.update(report.to_json());
  return {results, report.tables(), heading(guard, results) + report.page()};
}

void print(const Evaluation& evaluation, const std::optional<fs::path>& out, bool json) {
  if (json) return print_json(out, evaluation.results);
  print_page(evaluation.page);
  if (out) print_out("\nWritten to {}\n", out->string());
}

// What decides the numbers.
Json identity_of(const Json& config) {
  Json identity{{"command", command_name(Command::kGuardEval)}};
  for (const KeySpec& key : keys_of(Command::kGuardEval)) {
    if (key.decides && key.name != "runs" && key.name != "guard")
      identity["config"][key.name] = config.at(key.name);
  }
  if (const auto guard = optional_value<std::string>(config, "guard"))
    identity["guard"] = sha256_of_file(*guard);
  for (const auto& [name, file] : config.at("other_verdicts").items())
    identity["other_verdicts"][name] = sha256_of_file(answers_file(file.get<std::string>()));
  for (const std::string& run : runs_of(config))
    identity["runs"].push_back(read_manifest(run).value("identity", Json()));
  return identity;
}

ExitCode write(const Json& config, const Guards& guards, const std::optional<FirstExtraction>& extraction,
               const RunOptions& options) {
  const fs::path out = output_folder(config, options);
  RunDirectory run(out, options.if_exists, identity_of(config));
  if (run.complete()) return end_complete_run(run, options);
  log_to_file(run.file("log.txt"));
  run.manifest().update(
      {{"versions", versions()}, {"command", command_name(Command::kGuardEval)}, {"config", config}});
  run.save();
  Runs runs = runs_of(config);
  ExitCode code = ExitCode::kDone;
  if (extraction) {
    runs = {run.file("extract").string()};
    code = extraction->make(runs.front(), false);
    log_to_file(run.file("log.txt"));  // the extraction has a log of its own
  }
  for (const std::string& file : guards.asked.files()) run.file(file);
  const Evaluation evaluation = evaluate(config, guards, runs, run.path());
  log_to_file(run.file("log.txt"));  // so have guards that are asked
  write_file(run.file("results.json"), evaluation.results.dump(2) + "\n");
  for (const auto& [name, text] : evaluation.tables) write_file(run.file(name), text);
  run.finish(static_cast<int>(code));
  if (options.print) print(evaluation, out, options.json);
  return code;
}

ExitCode dry_run(const std::optional<FirstExtraction>& extraction, const Json& config,
                 const RunOptions& options) {
  if (extraction) return extraction->make(output_folder(config, options) / "extract", true);
  print_out("no extraction is needed: the prompts' rows are there\n");
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_guard_eval(Json config, const RunOptions& options) {
  const c10::InferenceMode inference;
  check(config);
  Guards guards{std::nullopt, AskedGuards(config)};
  check_names(config, guards.asked);
  if (const auto file = optional_value<std::string>(config, "guard")) guards.from_file = read_guard(*file);
  std::optional<FirstExtraction> extraction;
  if (runs_of(config).empty()) {
    extraction.emplace(prompts_to_extract(config), config.at("outcomes"));
    if (guards.from_file) extraction->check(*guards.from_file);
  }
  if (options.dry_run) return dry_run(extraction, config, options);
  if (!config.at("out").is_null()) return write(config, guards, extraction, options);
  print(evaluate(config, guards, runs_of(config), std::nullopt), std::nullopt, options.json);
  return ExitCode::kDone;
}

}  // namespace hrt
