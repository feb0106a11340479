#include "template_checks.h"

#include <algorithm>

#include "hrt/base/error.h"

namespace hrt {
namespace {

void check_roles(const TemplateSpec& spec, const std::vector<Message>& messages) {
  for (std::size_t index = 0; index < messages.size(); ++index) {
    const std::string& role = messages[index].role;
    if (role != "system" && role != "user" && role != "assistant") {
      throw InputError("template {}: turn {} has role \"{}\", expected system, user or assistant", spec.name,
                       index + 1, escape_for_terminal(role));
    }
  }
}

void check_system(const TemplateSpec& spec, const std::vector<Message>& messages,
                  const TemplateOptions& options) {
  const auto is_system = [](const Message& message) { return message.role == "system"; };
  const auto last = std::find_if(messages.rbegin(), messages.rend(), is_system);
  const auto turn = messages.rend() - last;  // counted from 1; 0: none
  if (spec.system_place == SystemPlace::kNone && (turn > 0 || options.system))
    throw InputError("template {} takes no system text", spec.name);
  if (spec.system_place == SystemPlace::kStart && turn > 1)
    throw InputError("template {}: turn {} is a system text, which may only come first", spec.name, turn);
}

void check_alternation(const TemplateSpec& spec, const std::vector<Message>& messages) {
  const std::size_t first = !messages.empty() && messages.front().role == "system" ? 1 : 0;
  for (std::size_t index = first; index < messages.size(); ++index) {
    const std::string_view expected = (index - first) % 2 == 0 ? "user" : "assistant";
    if (messages[index].role != expected) {
      throw InputError("template {}: user and assistant turns must alternate; turn {} is {}, expected {}",
                       spec.name, index + 1, messages[index].role, expected);
    }
  }
}

void check_value(const TemplateSpec& spec, const std::string& name, const std::string& value,
                 const std::vector<std::string>& known) {
  if (known.empty() || std::ranges::find(known, value) != known.end()) return;
  throw InputError("template {}: {} is {}, not \"{}\"", spec.name, name, join(known, " or "),
                   escape_for_terminal(value));
}

void check_args(const TemplateSpec& spec, const TemplateOptions& options) {
  std::vector<std::string> known;
  for (const auto& [name, arg] : spec.args) known.push_back(name);
  for (const auto& [name, value] : options.args) {
    const auto arg = spec.args.find(name);
    if (arg == spec.args.end()) {
      throw InputError("template {} takes no argument \"{}\"{} (it takes: {})", spec.name, name,
                       did_you_mean(name, known), known.empty() ? "none" : join(known, ", "));
    }
    check_value(spec, name, value, arg->second.values);
  }
}

}  // namespace

void check_exchange(const TemplateSpec& spec, const std::vector<Message>& messages,
                    const TemplateOptions& options) {
  check_args(spec, options);
  check_roles(spec, messages);
  check_system(spec, messages, options);
  if (spec.alternate) check_alternation(spec, messages);
}

}  // namespace hrt
