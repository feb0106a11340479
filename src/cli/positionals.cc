#include "positionals.h"

#include <filesystem>

namespace hrt {
namespace {

using Words = std::vector<std::string>;

void add_one(CLI::App& app, const char* key, const char* type, const char* help,
             std::vector<Override>& overrides) {
  app.add_option_function<std::string>(
         key,
         [&overrides, key, type](const std::string& word) {
           overrides.push_back({key, word, type});
         },
         help)
      ->type_name(type);
}

void add_runs(CLI::App& app, std::vector<Override>& overrides) {
  app.add_option_function<Words>(
         "run",
         [&overrides](const Words& runs) {
           overrides.push_back({"runs", runs, "RUN"});
         },
         "complete extractions")
      ->type_name("RUN");
}

// A guard is a file, a run a folder.
void add_guard_and_runs(CLI::App& app, std::vector<Override>& overrides) {
  app.add_option_function<Words>(
         "guard",
         [&overrides](Words words) {
           if (!std::filesystem::is_directory(words.front())) {
             overrides.push_back({"guard", words.front(), "GUARD"});
             words.erase(words.begin());
           }
           if (!words.empty()) overrides.push_back({"runs", words, "RUN"});
         },
         "a guard file, and complete extractions to evaluate it on")
      ->type_name("GUARD RUN");
}

}  // namespace

void add_positionals(CLI::App& app, Command command, std::vector<Override>& overrides) {
  switch (command) {
    case Command::kProbe:
      add_one(app, "analysis", "ANALYSIS", "layers, beliefs, categories, positions, plane, linear or compare",
              overrides);
      return add_runs(app, overrides);
    case Command::kGuardFit:
      return add_runs(app, overrides);
    case Command::kGuardEval:
      return add_guard_and_runs(app, overrides);
    case Command::kGuardScore:
      add_one(app, "guard", "GUARD", "a guard file", overrides);
      return add_one(app, "input", "FILE", "JSON lines to score (default: stdin)", overrides);
    default:
      return;
  }
}

}  // namespace hrt
