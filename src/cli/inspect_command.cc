#include <memory>

#include "hrt/base/error.h"
#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/cli/commands.h"
#include "hrt/experiment/config.h"
#include "hrt/inspect/inspect.h"
#include "hrt/inspect/inspect_checkpoint.h"
#include "hrt/text/chat_template.h"

namespace hrt {
namespace {

constexpr const char* kFooter = R"(Examples:
  hrt inspect MODEL                                          a checkpoint
  hrt inspect MODEL --adapter DIR                            with a LoRA adapter, as runs would load it
  hrt inspect MODEL --prompt "How do I bake bread?"          a prompt, token by token, with its positions
  hrt inspect MODEL --prompts FILE.jsonl --json              many prompts, one JSON line each
  hrt inspect RUN                                            how a run ended
  hrt inspect RUN/activations.safetensors                    a tensor file
  hrt inspect RUN/activations.safetensors --claim-t-inst t_inst --same-token
  hrt inspect FILE.pt                                        torch's tensor files, too
  hrt inspect FILE.pt --claim-t-inst 2:0 --same-token)";

constexpr const char* kPromptGroup = "Prompts";

struct InspectOptions {
  InspectRequest request;
  std::string path;
  std::string chat_template = "auto";
  std::optional<std::string> system;
  std::string bos = "auto";
  bool parse_special = false;
  std::vector<std::string> template_args;
  std::optional<std::string> claim;
  std::optional<std::int64_t> layer_axis;
  bool same_token = false;
  bool families = false;
  bool quiet = false;
};

Json text_config(const InspectOptions& options) {
  return {{"template", options.chat_template},
          {"template_arg", parse_arguments("--template-arg", options.template_args)},
          {"system", options.system ? Json(*options.system) : Json()},
          {"bos", options.bos},
          {"parse_special", options.parse_special},
          {"post_instruction", true}};
}

ExitCode print_families(bool json) {
  const Json families = describe_families();
  if (json) print_out("{}\n", to_line(families));
  for (const Json& family : families) {
    if (!json)
      print_out("{:<12} {}\n", family.at("model_type").get<std::string>(),
                family.at("title").get<std::string>());
  }
  if (!json) print_out("chat templates: {}\n", join(template_names(), ", "));
  return ExitCode::kDone;
}

ExitCode run(InspectOptions options) {
  if (options.quiet) setup_logging(Verbosity::kQuiet);
  if (options.families) return print_families(options.request.json);
  if (options.path.empty()) throw InputError("inspect: give a PATH (see --help)");
  options.request.path = options.path;
  options.request.text = text_config(options);
  if (options.claim)
    options.request.claim = PositionClaim{*options.claim, options.request.tensor, options.layer_axis};
  return run_inspect(options.request);
}

std::string at_least_one(const std::string& text) {
  const Json number = Json::parse(text, nullptr, false);
  const bool good = number.is_number_unsigned() && number > 0;
  return good ? "" : fmt::format("must be an integer of at least 1, found {}", text);
}

// Flags that would have no effect are mistakes.
void check_prompt_flags(const CLI::App& sub, const InspectOptions& options) {
  const bool given = options.request.prompt || options.request.prompts;
  if (given && (options.claim || options.request.tensor)) {
    throw InputError("inspect: --prompt and --prompts do not go with flags for tensor files");
  }
  if (given && options.request.adapter) {
    throw InputError(
        "inspect: --prompt and --prompts do not go with --adapter: tokenizer and template are the model's");
  }
  for (const CLI::Option* option : sub.get_options()) {
    if (!given && option->get_group() == kPromptGroup && option->count() > 0) {
      throw InputError("inspect: {} needs --prompt or --prompts", option->get_name());
    }
  }
}

void add_prompt_flags(CLI::App& sub, InspectOptions& options) {
  const char* group = kPromptGroup;
  auto* prompt = sub.add_option("--prompt", options.request.prompt, "a text, shown token by token");
  prompt->group(group)->type_name("TEXT");
  sub.add_option("--prompts", options.request.prompts, "a prompt file, a line a prompt")
      ->group(group)
      ->type_name("FILE")
      ->excludes(prompt);
  sub.add_option("--field", options.request.field, "column that holds the instruction")
      ->group(group)
      ->type_name("NAME");
  sub.add_option("--limit", options.request.limit, "only the first N prompts")
      ->group(group)
      ->type_name("N")
      ->check(at_least_one);
  sub.add_option("--template", options.chat_template, "chat template: auto, raw, a name or FILE.json [auto]")
      ->group(group)
      ->type_name("NAME");
  sub.add_option("--template-arg", options.template_args, "what the template takes (repeatable)")
      ->group(group)
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  sub.add_option("--system", options.system, "system text for prompts that bring none")
      ->group(group)
      ->type_name("TEXT");
  sub.add_option("--bos", options.bos, "begin-of-sequence token: auto, always, never [auto]")
      ->group(group)
      ->type_name("MODE");
  sub.add_flag("--parse-special", options.parse_special, "markers inside the text become special tokens")
      ->group(group);
}

void add_tensor_flags(CLI::App& sub, InspectOptions& options) {
  const char* group = "Tensor files";
  sub.add_option("--tensor", options.request.tensor, "only this tensor")->group(group)->type_name("NAME");
  auto* same =
      sub.add_flag("--same-token", options.same_token, "the prompts end in the same token")->group(group);
  auto* claim =
      sub.add_option("--claim-t-inst", options.claim,
                     "check that rows are t_inst: AXIS:INDEX of the positions, or the name of hrt's tensor");
  claim->group(group)->type_name("POSITION")->needs(same);
  same->needs(claim);
  sub.add_option("--layer-axis", options.layer_axis, "the tensor's axis of layers [0; of hrt's own 1]")
      ->group(group)
      ->type_name("N")
      ->needs(claim);
  sub.add_flag("--learned-positions", options.request.learned_positions, "the model adds learned positions")
      ->group(group)
      ->needs(claim);
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  CLI::App* sub =
      app.add_subcommand("inspect", "A checkpoint, prompts through its template, a tensor file or a run.");
  sub->footer(kFooter);
  const auto options = std::make_shared<InspectOptions>();
  sub->add_option("path", options->path,
                  "checkpoint, tokenizer or run folder, or a tensor file (.safetensors, .pt)")
      ->type_name("PATH");
  sub->add_option("--adapter", options->request.adapter, "a PEFT LoRA folder, with the checkpoint")
      ->type_name("DIR");
  add_prompt_flags(*sub, *options);
  add_tensor_flags(*sub, *options);
  sub->add_flag("--families", options->families, "list the model types that hrt knows");
  sub->add_flag("--json", options->request.json, "JSON on stdout");
  sub->add_flag("--quiet", options->quiet, "no progress and no log on stderr, errors only");
  sub->callback([sub, options, &action] {
    check_prompt_flags(*sub, *options);
    action = [options] { return run(*options); };
  });
}

}  // namespace hrt
