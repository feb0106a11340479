#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/reproduce/reproduce.h"
#include "hrt/reproduce/run_difference.h"
#include "step.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::array kRepeatable{Command::kExtract, Command::kSteer, Command::kSelect, Command::kProbe,
                                 Command::kGuardEval};

Command command_of(const fs::path& run, const Json& manifest) {
  const std::string name = JsonObject(manifest, (run / "manifest.json").string()).string("command", "");
  for (const Command command : kRepeatable) {
    if (command_name(command) == name) return command;
  }
  throw InputError("{}: a run of `hrt {}` cannot be done again as a whole: name one of the runs in it",
                   run.string(), escape_for_terminal(name));
}

// The run's config, with what was given on the command line over it.
Json config_of(const fs::path& run, const Json& manifest, const ReproduceOptions& options,
               const fs::path& out) {
  const Command command = command_of(run, manifest);
  Json config = stored_config(manifest, run / "manifest.json", command);
  for (const Override& change : options.overrides) {
    if (config.contains(change.path)) config[change.path] = change.value;
  }
  config["out"] = out.string();
  check_config(config, command, (run / "manifest.json").string());
  return config;
}

std::string in_words(const FileDifference& file) {
  using State = FileDifference::State;
  const std::string close =
      file.close_calls > 0 ? fmt::format("; {} close calls of two first tokens", file.close_calls) : "";
  switch (file.state) {
    case State::kSameBytes:
      return "same bytes";
    case State::kWithinTolerance:
      return fmt::format("within tolerance: at most {:.1e}{}", file.largest, close);
    case State::kDifferent:
      return fmt::format("different: {} places, first {}; at most {:.1e}{}", file.differences, file.first,
                         file.largest, close);
    default:
      return "missing in the new run";
  }
}

void print(const std::vector<InputDifference>& inputs, const std::vector<FileDifference>& files,
           const fs::path& out, bool json) {
  if (json) {
    Json line{{"run", out.string()}, {"inputs", Json::array()}, {"files", Json::array()}};
    for (const InputDifference& input : inputs)
      line["inputs"].push_back({{"severity", severity_name(input.severity)}, {"difference", input.text}});
    for (const FileDifference& file : files) line["files"].push_back(file.to_json());
    print_out("{}\n", to_line(line));
    return;
  }
  for (const InputDifference& input : inputs) {
    print_out("{:<8} {}\n", severity_name(input.severity), escape_for_terminal(input.text));
  }
  Table table({{"file"}, {"the new run"}}, kNoWidth);
  for (const FileDifference& file : files) table.add({file.file, in_words(file)});
  print_out("{}{}", inputs.empty() ? "the inputs, the machine and the versions are the same\n\n" : "\n",
            table.text());
}

}  // namespace

ExitCode run_again(const ReproduceOptions& options) {
  const fs::path run = (fs::absolute(options.from).lexically_normal() / "").parent_path();
  const Json manifest = read_manifest(run);
  if (manifest.at("status") != "complete") throw InputError("{}: the run is not complete", run.string());
  const fs::path out = options.out.empty() ? fs::path(run.string() + ".again") : fs::absolute(options.out);
  check_apart(out, run);
  const IfExists if_exists =
      options.overwrite || options.out.empty() ? IfExists::kOverwrite : IfExists::kRefuse;
  run_config(command_of(run, manifest), config_of(run, manifest, options, out), if_exists);
  const auto inputs = compare_inputs(manifest, read_manifest(out));
  const auto files = compare_files(run, out);
  print(inputs, files, out, options.json);
  if (!std::ranges::all_of(files, &FileDifference::holds)) {
    spdlog::error("error: {}: the new run differs beyond tolerance, see {}", run.string(), out.string());
    return ExitCode::kCheckFailed;
  }
  if (options.out.empty()) remove_run(out);
  return ExitCode::kDone;
}

}  // namespace hrt
