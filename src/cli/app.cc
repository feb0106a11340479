#include "hrt/cli/app.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <sstream>

#include "hrt/base/error.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/process.h"
#include "hrt/base/strings.h"
#include "hrt/cli/commands.h"
#include "hrt/experiment/failure.h"
#include "hrt/experiment/versions.h"
#include "library_settings.h"

namespace hrt {
namespace {

constexpr const char* kFooter = R"(Examples:
  hrt inspect MODEL                                   what a checkpoint folder holds
  hrt inspect MODEL --prompt "How do I bake bread?"   a prompt, token by token, with its positions
  hrt extract --model MODEL --harmful bad.jsonl --harmless good.jsonl --out RUN
  hrt steer --model MODEL --prompts asks.jsonl --max-new-tokens 64 --out RUN
  hrt probe beliefs RUN                               what the activations of an extraction say
  hrt report RUN                                      figures and a page

Exit codes: 0 done, 1 failed while running, 2 bad usage, config or input, 3 a check does not hold.)";

std::string version_line() {
  const Json v = versions();
  const std::string cuda = v.at("cuda").is_null() ? "none" : v.at("cuda").dump();
  return fmt::format("hrt {} (torch {}, CUDA {}, ICU {})", v.at("hrt").get<std::string>(),
                     v.at("torch").get<std::string>(), cuda, v.at("icu").get<std::string>());
}

// What the command does not know, as it was typed. Behind an unknown flag a word is taken for its value.
std::string unknown_arguments(const CLI::App& command) {
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  std::vector<std::string> flags;
  std::vector<std::string> words;
  for (const std::string& argument : command.remaining()) {
    const std::string name = argument.substr(0, argument.find('='));
    if (name.starts_with('-')) {
      flags.push_back(fmt::format("no flag {}{}", name, did_you_mean(name, known)));
    } else {
      words.push_back(fmt::format("unexpected argument {}", argument));
    }
  }
  return fmt::format("{}: {}", command.get_name(), join(flags.empty() ? words : flags, "; "));
}

// `hrt guard eval`: eval.
const CLI::App& innermost(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.front());
}

int report(ExitCode code, std::string_view message) {
  spdlog::error("error: {}", message);
  return static_cast<int>(code);
}

int report_usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {  // --help, --version
    std::ostringstream text;
    app.exit(error, text);
    put_out(text.str());
    return static_cast<int>(ExitCode::kDone);
  }
  const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const std::string what = unknown ? unknown_arguments(innermost(app)) : error.what();
  return report(ExitCode::kBadInput, what + " (see --help)");
}

// Names of files go into JSON, which holds no others. Said before anything is computed for them.
void check_utf8(int argc, char** argv) {
  const auto check = [](const char* what, const std::string& text) {
    if (find_invalid_utf8(text) != std::string_view::npos)
      throw InputError("{} is not UTF-8: {}", what, text);
  };
  for (int i = 1; i < argc; ++i) check("an argument", argv[i]);
  std::error_code ignored;  // paths that need it say why it is not there
  check("the working folder's name", std::filesystem::current_path(ignored).string());
}

// CLI11 takes a word that is no command for a stray argument and then misses the command.
void check_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands({})) {
    names.push_back(sub->get_name());
    if (names.back() == argv[1]) return check_command(*sub, argc - 1, argv + 1);
  }
  if (names.empty()) return;  // it takes no commands
  throw InputError("no command {}{} (commands: {})", argv[1], did_you_mean(argv[1], names),
                   join(names, ", "));
}

int parse_and_run(CLI::App& app, int argc, char** argv, const Action& action) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error);
  }
  return static_cast<int>(action());
}

// Runs the program's parts under one roof for errors.
int guarded(const std::function<int()>& body) {
  try {
    return body();
  } catch (const Interrupted& interrupted) {
    spdlog::warn("interrupted: --resume continues the run");
    return 128 + interrupted.signal();
  } catch (const std::exception& error) {
    const Failure failure = failure_of(error);
    return report(failure.code, failure.line);
  }
}

}  // namespace

int run_cli(int argc, char** argv) {
  set_up_process();
  use_reproducible_blas();
  setup_logging(Verbosity::kNormal);
  CLI::App app("hrt: harmfulness and refusal directions in language models.", "hrt");
  app.set_version_flag("--version", version_line);
  app.require_subcommand(1);
  app.footer(kFooter);
  Action action;
  add_inspect(app, action);
  add_experiment(app, Command::kExtract, action);
  add_experiment(app, Command::kSteer, action);
  add_experiment(app, Command::kProbe, action);
  add_guard(app, action);
  add_reproduce(app, action);
  add_report(app, action);
  add_merge(app, action);
  return guarded([&] {
    check_utf8(argc, argv);
    check_command(app, argc, argv);
    const int code = parse_and_run(app, argc, argv, action);
    return flush_out() ? code : kNobodyReads;
  });
}

}  // namespace hrt
