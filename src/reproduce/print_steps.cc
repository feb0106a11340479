#include "hrt/base/output.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"
#include "step.h"

namespace hrt {
namespace {

const char* state_of(const Step& step, bool overwrite) {
  if (!step.inputs.missing.empty()) return "cannot run";
  return !overwrite && is_complete(step) ? "complete" : "to do";
}

std::string why(const Step& step) {
  if (!step.inputs.missing.empty()) return step.inputs.missing;
  return step.inputs.left_out.empty() ? "" : "left out: " + join(step.inputs.left_out, "; ");
}

Json step_json(const Step& step, bool overwrite) {
  return {{"id", step.spec.id},
          {"command", command_name(step.spec.command)},
          {"config", step.spec.config.lexically_normal().string()},
          {"uses", step.spec.uses},
          {"state", state_of(step, overwrite)},
          {"why", step.inputs.missing},
          {"left_out", step.inputs.left_out}};
}

}  // namespace

void print_steps(const std::vector<Step>& steps, const std::filesystem::path& out, const Json& model,
                 const ReproduceOptions& options) {
  if (options.json) {
    Json list = Json::array();
    for (const Step& step : steps) list.push_back(step_json(step, options.overwrite));
    print_out("{}\n", to_line({{"out", out.string()}, {"model", model}, {"steps", list}}));
    return;
  }
  Table table({{"step"}, {"command"}, {"uses"}, {"state"}, {"why", Table::Align::kLeft, 60}});
  for (const Step& step : steps) {
    table.add({step.spec.id, std::string(command_name(step.spec.command)), join(step.spec.uses, ", "),
               state_of(step, options.overwrite), why(step)});
  }
  print_out("{}\nInto {}\n", table.text(), out.string());
}

}  // namespace hrt
