#include "hrt/probe/probe.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "analyses.h"
#include "compare.h"
#include "hrt/base/file.h"
#include "hrt/base/hash.h"
#include "hrt/base/log.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/extract.h"
#include "hrt/experiment/extraction_config.h"
#include "hrt/experiment/versions.h"

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

// One extraction to make, and what its folder is called.
struct Planned {
  std::string name;
  Json config;  // of the extraction
};

bool needs_extraction(const Json& config) {
  return config.at("runs").empty() && config.at("tensors").is_null();
}

std::vector<Planned> planned_extractions(const Json& config) {
  if (config.at("variants").empty()) return {{"extract", own_extraction(config, Json::object())}};
  std::vector<Planned> planned;
  for (const Json& variant : config.at("variants")) {
    Json changes = variant;
    changes.erase("name");
    const std::string name = variant.value("name", fmt::format("variant {}", planned.size() + 1));
    planned.push_back({name, own_extraction(config, changes)});
  }
  return planned;
}

// A name as a folder: "without the template" -> "without_the_template".
std::string folder_name(std::string name) {
  for (char& c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.';
    if (!plain) c = '_';
  }
  return name;
}

// Runs and how they ended.
struct Extracted {
  std::vector<std::pair<std::string, fs::path>> runs;
  ExitCode code = ExitCode::kDone;
};

Extracted extract_first(const Json& config, const RunDirectory& run) {
  Extracted extracted;
  for (const Planned& planned : planned_extractions(config)) {
    RunOptions options;
    options.if_exists = IfExists::kResume;
    options.print = false;
    options.out = run.file(folder_name(planned.name));
    spdlog::info("extraction first, in {}", options.out->string());
    extracted.code = worse(extracted.code, run_extract(planned.config, options));
    extracted.runs.emplace_back(planned.name, *options.out);
  }
  log_to_file(run.file("log.txt"));  // an extraction has a log of its own
  return extracted;
}

Json with_runs(Json config, const std::vector<std::string>& runs) {
  config["runs"] = runs;
  return config;
}

// Each run is a variant; what the config calls them, else the names of their folders.
std::vector<Variant> open_variants(const Json& config, const Extracted& extracted) {
  std::vector<Variant> variants;
  for (const auto& [name, path] : extracted.runs)
    variants.push_back({name, open_source(with_runs(config, {path.string()}))});
  const Json& names = config.at("variants");
  for (const Json& run : config.at("runs")) {
    const std::size_t i = variants.size();
    const std::string folder = fs::path(run.get<std::string>()).filename().string();
    variants.push_back(
        {i < names.size() ? names[i].value("name", folder) : folder, open_source(with_runs(config, {run}))});
  }
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
  return report;
}

std::string counts_line(const Json& source) {
  std::vector<std::string> counts;
  for (const auto& [set, count] : source.at("centroid_prompts").items()) {
    if (count > 0) counts.push_back(fmt::format("{} {}", set, count.get<std::int64_t>()));
  }
  return join(counts, ", ");
}

void add_tensors(Page& page, const Json& source) {
  page.add("tensor files", join(source.at("files").get<std::vector<std::string>>(), ", "));
  if (source.contains("position_check")) {
    const Json& check = source.at("position_check");
    page.add(
        "position",
        fmt::format("rows called {} {}: prompts that end in the same token have a cosine of {:.3f} at row 0, "
                    "expected 1",
                    check.at("position").get<std::string>(),
                    check.at("holds").get<bool>() ? "can be just that" : "are not that",
                    check.at("smallest_cosine").get<double>()));
  }
  if (source.contains("limits")) page.add("limits", source.at("limits").get<std::string>());
}

void add_runs(Page& page, const Json& source) {
  page.add("runs", join(source.at("runs").get<std::vector<std::string>>(), ", "));
  page.add("scored", counted(source.at("scored"), "prompt"));
  page.add("centroids", counts_line(source));
  page.add("held out", source.at("held_out") == "split"
                           ? "no scored prompt is among those of the centroids"
                           : "each scored prompt is left out of the centroids that it is part of");
  if (source.contains("overlap")) page.add("allowed", source.at("overlap").get<std::string>());
}

// Where the numbers come from, above them.
std::string source_page(const std::string& title, const Json& source) {
  Page page(title);
  source.contains("files") ? add_tensors(page, source) : add_runs(page, source);
  return page.text();
}

void print(const ProbeReport& report, const Json& config, const std::optional<fs::path>& out, bool json) {
  if (json) {
    Json whole{{"run", out ? Json(out->string()) : Json()}};
    whole.update(report.results);
    fmt::print("{}\n", to_line(whole));
    return;
  }
  const Json& source = report.results.at("source");
  if (config.at("analysis") == kCompare) {
    for (const auto& [name, of_variant] : source.items()) fmt::print("{}\n", source_page(name, of_variant));
  } else {
    fmt::print("{}", source_page(config.at("analysis"), source));
  }
  fmt::print("{}", report.page);
  if (out) fmt::print("\nWritten to {}\n", out->string());
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

void check(const Json& config) {
  if (config.at("analysis").is_null())
    throw InputError("no analysis: hrt probe layers, beliefs, ... (see --help)");
  const bool out = !config.at("out").is_null();
  if (needs_extraction(config) && !out)
    throw InputError("no run: give RUN, an extraction, or prompts in the config and --out RUN");
}

ExitCode dry_run(const Json& config, const RunOptions& options) {
  if (!needs_extraction(config)) {
    fmt::print("{}\n", "all that is needed has been computed: nothing to plan");
    return ExitCode::kDone;
  }
  for (Planned& planned : planned_extractions(config)) run_extract(std::move(planned.config), options);
  return ExitCode::kDone;
}

}  // namespace

ExitCode run_probe(Json config, const RunOptions& options) {
  const c10::InferenceMode inference;
  check(config);
  if (options.dry_run) return dry_run(config, options);
  if (config.at("out").is_null()) {
    print(analyse(config, {}), config, std::nullopt, options.json);
    return ExitCode::kDone;
  }
  const fs::path out = output_folder(config, options);
  RunDirectory run(out, options.if_exists, identity_of(config));
  if (run.complete()) {
    spdlog::info("{} is complete already", out.string());
    return static_cast<ExitCode>(run.manifest().at("exit_code").get<int>());
  }
  log_to_file(run.file("log.txt"));
  run.manifest().update({{"versions", versions()}, {"command", "probe"}, {"config", config}});
  run.save();
  const Extracted extracted = needs_extraction(config) ? extract_first(config, run) : Extracted{};
  const ProbeReport report = analyse(config, extracted);
  write(run, report);
  run.manifest()["source"] = report.results.at("source");
  run.finish(static_cast<int>(extracted.code));
  if (options.print) print(report, config, out, options.json);
  return extracted.code;
}

}  // namespace hrt
