#include <memory>

#include "hrt/cli/commands.h"
#include "hrt/steer/export.h"

namespace hrt {
namespace {

constexpr const char* kFooter = R"(Examples:
  hrt steer export RUN:refusal refusal.gguf          for llama.cpp --control-vector
  hrt steer export RUN:harmfulness harmfulness.npy   for numpy)";

}  // namespace

void add_export(CLI::App& steer, Action& action) {
  CLI::App* sub = steer.add_subcommand("export", "A direction for other tools: gguf, npy or safetensors.");
  sub->footer(kFooter);
  const auto options = std::make_shared<ExportOptions>();
  sub->add_option("direction", options->direction, "run directory or tensor file, and the direction's name")
      ->type_name("PATH:NAME")
      ->required();
  sub->add_option("file", options->out, "what to write: FILE.gguf, FILE.npy or FILE.safetensors")
      ->type_name("FILE")
      ->required();
  sub->add_option("--model-hint", options->model_hint,
                  "gguf: the model's architecture (default: the run's family)")
      ->type_name("NAME");
  sub->callback([options, &action] { action = [options] { return run_export(*options); }; });
}

}  // namespace hrt
