#include <fmt/format.h>

#include "hrt/base/strings.h"
#include "hrt/experiment/prompt_run.h"
#include "hrt/model/device.h"
#include "prompt_proof.h"

namespace hrt {

void PromptRun::print_plan(bool json) const {
  const Estimate need = estimate();
  const Json plan{{"prompts", need.prompts},
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
  if (json) {
    fmt::print("{}\n", to_line(plan));
    return;
  }
  fmt::print("prompts    {} ({} tokens), {} replies of up to {} tokens\n", need.prompts, need.prompt_tokens,
             need.replies, work_.max_new_tokens);
  fmt::print("template   {} ({})\n", text_.chat.name(), text_.reason);
  fmt::print("device     {}, {}\n", device_.str(), dtype_name(dtype_));
  fmt::print("memory     {} of weights, {} of keys and values (batches of {}), {} of activations\n",
             human_bytes(need.weight_bytes), human_bytes(need.cache_bytes), batch_size_,
             human_bytes(need.workspace_bytes));
  fmt::print("disk       {} at most\n", human_bytes(need.disk_bytes));
  fmt::print("work       {:.2g} FLOP in groups of {} prompts\n", need.flops, group_size_);
  for (const auto& [name, position] : plan.at("sample").at("positions").items()) {
    fmt::print("proof      {} of {}: {}\n", name,
               escape_for_terminal(plan["sample"]["id"].get<std::string>()),
               escape_for_terminal(to_line(position)));
  }
}

}  // namespace hrt
