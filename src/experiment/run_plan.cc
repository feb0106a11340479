#include <fmt/format.h>

#include "hrt/base/log.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/experiment/run_model.h"
#include "hrt/model/device.h"
#include "prompt_proof.h"

namespace hrt {

void PromptRun::print_plan(const std::string& output, const std::vector<PlanEntry>& more,
                           const std::vector<std::string>& more_warnings, bool json) const {
  const Estimate& need = estimate_;
  std::vector<std::string> all_warnings = warnings();
  all_warnings.insert(all_warnings.end(), more_warnings.begin(), more_warnings.end());
  const Json model = run_model(checkpoint_);
  Json plan{{"output", output},
            {"warnings", all_warnings},
            {"model", model},
            {"prompts", need.prompts},
            {"prompt_tokens", need.prompt_tokens},
            {"replies", need.replies},
            {"template", text_.chat.name()},
            {"device", device_.str()},
            {"dtype", dtype_name(dtype_)},
            {"batch_size", batch_size_},
            {"group_size", group_size_},
            {"weight_bytes", need.weight_bytes},
            {"kv_cache_bytes", need.cache_bytes},
            {"workspace_bytes", need.workspace_bytes},
            {"disk_bytes", need.disk_bytes},
            {"flops", need.flops},
            {"sample", sample_proof(set_)}};
  for (const PlanEntry& entry : more) plan[entry.name] = entry.value;
  for (const std::string& warning : all_warnings) spdlog::warn("warning: {}", warning);
  if (json) {
    print_out("{}\n", to_line(plan));
    return;
  }
  const auto number = [](std::int64_t count, const char* noun) {
    return counted(static_cast<std::size_t>(count), noun);
  };
  const std::string replies = need.replies == 0 ? "no replies"
                                                : fmt::format("{} of up to {}", number(need.replies, "reply"),
                                                              number(work_.max_new_tokens, "token"));
  print_out("model      {}\n", escape_for_terminal(model_line(model)));
  if (model.contains("adapter"))
    print_out("adapter    {}\n", escape_for_terminal(adapter_line(model.at("adapter"))));
  print_out("prompts    {} ({}), {}\n", need.prompts, number(need.prompt_tokens, "token"), replies);
  for (const PlanEntry& entry : more) print_out("{:<10} {}\n", entry.name, escape_for_terminal(entry.text));
  print_out("template   {} ({})\n", text_.chat.name(), escape_for_terminal(text_.reason));
  print_out("device     {}, {}\n", device_.str(), dtype_name(dtype_));
  print_out("memory     {} of weights, {} of keys and values (batches of {}), {} of activations\n",
            human_bytes(need.weight_bytes), human_bytes(need.cache_bytes), batch_size_,
            human_bytes(need.workspace_bytes));
  print_out("disk       {} at most\n", human_bytes(need.disk_bytes));
  print_out("work       {:.2g} FLOP in groups of {}\n", need.flops, number(group_size_, "prompt"));
  print_out("output     {}\n", escape_for_terminal(output));
  for (const auto& [name, position] : plan.at("sample").at("positions").items()) {
    print_out("proof      {} of {}: {}\n", name, escape_for_terminal(plan["sample"]["id"].get<std::string>()),
              escape_for_terminal(to_line(position)));
  }
}

}  // namespace hrt
