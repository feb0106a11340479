#include "hrt/cli/commands.h"

namespace hrt {
namespace {

constexpr const char* kFooter = R"(Examples:
  hrt guard fit RUN --out guard.safetensors
  hrt guard eval guard.safetensors TESTS
  hrt guard score guard.safetensors --model MODEL < prompts.jsonl)";

}  // namespace

void add_guard(CLI::App& app, Action& action) {
  CLI::App* sub =
      app.add_subcommand("guard", "Latent Guard: fitted, evaluated, and run on streams of prompts.");
  sub->footer(kFooter);
  sub->require_subcommand(1);
  add_experiment(*sub, Command::kGuardFit, action);
  add_experiment(*sub, Command::kGuardEval, action);
  add_experiment(*sub, Command::kGuardScore, action);
}

}  // namespace hrt
