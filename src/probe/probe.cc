#include "hrt/probe/probe.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>

#include "analyses.h"
#include "compare.h"
#include "extractions.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/page_output.h"
#include "hrt/experiment/complete_run.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/versions.h"
#include "source_page.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

using Analyse = ProbeReport (*)(const ProbeSource& source, const Json& config);
struct Analysis {
  const char* name;
  Analyse analyse;
};
constexpr std::array kAnalyses{
    Analysis{"layers", probe_layers},         Analysis{"beliefs", probe_beliefs},
    Analysis{"categories", probe_categories}, Analysis{"positions", probe_positions},
    Analysis{"plane", probe_plane},           Analysis{"linear", probe_linear},
};
constexpr const char* kCompare = "compare";

Json with_runs(Json config, const std::vector<std::string>& runs) {
  config["runs"] = runs;
  return config;
}

// What a run is called in tables: what the config says, else its folder's name, where no two have the same
// (each extraction of a probe is called "extract").
std::string variant_name(const Json& config, std::size_t number) {
  const Json& names = config.at("variants");
  const fs::path path = config.at("runs")[number].get<std::string>();
  if (number < names.size() && names[number].contains("name")) return names[number].at("name");
  const auto same = std::ranges::count_if(config.at("runs"), [&](const Json& run) {
    return fs::path(run.get<std::string>()).filename() == path.filename();
  });
  return same == 1 ? path.filename().string() : path.string();
}

// Each run is a variant.
std::vector<Variant> open_variants(const Json& config, const Extracted& extracted) {
  std::vector<Variant> variants;
  for (const auto& [name, path] : extracted.runs)
    variants.push_back({name, open_source(with_runs(config, {path.string()}))});
  for (const Json& run : config.at("runs"))
    variants.push_back({variant_name(config, variants.size()), open_source(with_runs(config, {run}))});
  return variants;
}

ProbeReport analyse(const Json& config, const Extracted& extracted) {
  const std::string name = config.at("analysis");
  if (name == kCompare) {
    const std::vector<Variant> variants = open_variants(config, extracted);
    ProbeReport report = probe_compare(variants, config);
    for (const Variant& variant : variants)
      report.results["source"][variant.name] = variant.source->describe();
    return report;
  }
  if (!config.at("variants").empty()) throw InputError("/variants are for `hrt probe compare`");
  std::unique_ptr<ProbeSource> source;
  if (extracted.runs.empty()) {
    source = open_source(config);
  } else {
    source = open_source(with_runs(config, {extracted.runs.front().second.string()}));
  }
  const auto* analysis = std::ranges::find_if(kAnalyses, [&](const Analysis& a) { return a.name == name; });
  ProbeReport report = analysis->analyse(*source, config);
  report.results["source"] = source->describe();
  if (name == "linear") report.results["source"]["held_out"] = "folds";  // it uses no centroids
  return report;
}

void print(const ProbeReport& report, const Json& config, const std::optional<fs::path>& out, bool json) {
  if (json) return print_json(out, report.results);
  const Json& source = report.results.at("source");
  if (config.at("analysis") == kCompare) {
    for (const auto& [name, of_variant] : source.items()) print_page(source_page(name, of_variant) + "\n");
  } else {
    print_page(source_page(config.at("analysis"), source));
  }
  print_page(report.page);
  if (out) print_out("\nWritten to {}\n", out->string());
}

void write(RunDirectory& run, const ProbeReport& report) {
  write_file(run.file("results.json"), report.results.dump(2) + "\n");
  for (const auto& [name, text] : report.tables) write_file(run.file(name), text);
}

// What decides the numbers: keys, and what runs or files are looked at.
Json identity_of(const Json& config) {
  Json identity{{"command", "probe"}};
  for (const KeySpec& key : keys_of(Command::kProbe)) {
    if (key.decides && key.name != "runs") identity["config"][key.name] = config.at(key.name);
  }
  for (const Json& run : config.at("runs"))
    identity["runs"].push_back(read_manifest(run.get<std::string>()).value("identity", Json()));
  return identity;
}

std::string why_no_run(const Json& config) {
  const bool prompts = std::ranges::any_of(std::array{"harmful", "harmless", "prompts"},
                                           [&](const char* key) { return !config.at(key).empty(); });
  return prompts ? "an extraction comes first: --out RUN says where, or give RUN, one that there is"
                 : "no run: give RUN, an extraction, or prompts in the config and --out RUN";
}

ExitCode dry_run(const Extractions& extractions, bool json) {
  if (extractions.empty()) print_out("no extraction is needed: what is looked at is there\n");
  extractions.print_plans(json);
  return ExitCode::kDone;
}

ExitCode analyse_into(RunDirectory& run, const Json& config, const Extractions& extractions,
                      const RunOptions& options) {
  log_to_file(run.file("log.txt"));
  run.manifest().update({{"versions", versions()}, {"command", "probe"}, {"config", config}});
  run.save();
  const Extracted extracted = extractions.make(run);
  log_to_file(run.file("log.txt"));  // an extraction has a log of its own
  const ProbeReport report = analyse(config, extracted);
  write(run, report);
  run.manifest()["source"] = report.results.at("source");
  run.finish(static_cast<int>(extracted.code));
  if (options.print) print(report, config, run.path(), options.json);
  return extracted.code;
}

}  // namespace

ExitCode run_probe(Json config, const RunOptions& options) {
  const c10::InferenceMode inference;
  if (config.at("analysis").is_null())
    throw InputError("no analysis: hrt probe layers, beliefs, ... (see --help)");
  const bool given = !config.at("runs").empty() || !config.at("tensors").is_null();
  const bool out = !config.at("out").is_null();
  if (!given && !out && !options.dry_run) throw InputError("{}", why_no_run(config));
  const Extractions extractions(config);  // all input is checked before anything is written
  if (options.dry_run) return dry_run(extractions, options.json);
  if (!out) {
    print(analyse(config, {}), config, std::nullopt, options.json);
    return ExitCode::kDone;
  }
  RunDirectory run(output_folder(config, options), options.if_exists, identity_of(config));
  return run.complete() ? end_complete_run(run, options) : analyse_into(run, config, extractions, options);
}

}  // namespace hrt
