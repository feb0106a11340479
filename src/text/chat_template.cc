#include "hrt/text/chat_template.h"

#include <fmt/chrono.h>

#include <array>

#include "hrt/base/error.h"
#include "piece_writer.h"
#include "python_strip.h"
#include "reasoning.h"
#include "template_checks.h"
#include "template_presets.h"

namespace hrt {
namespace {

constexpr std::array<std::string_view, 8> kPartNames = {
    "bos", "template", "system", "history", "instruction", "question", "post_instruction", "prefill"};

bool is_in_user_turn(SystemPlace place) {
  return place == SystemPlace::kFirstUserTurn || place == SystemPlace::kLastUserTurn;
}

class Renderer {
 public:
  Renderer(const TemplateSpec& spec, const TemplateOptions& options, std::vector<Message> messages)
      : spec_(spec), options_(options), messages_(std::move(messages)) {
    add_system();
    last_user_ = find_last_user();
    thinking_ = take_reasoning(messages_, spec_.reasoning);
  }

  RenderedPrompt render() {
    if (!spec_.bos_every_turn) write_bos();
    if (spec_.preamble_turn) write_preamble_turn(*spec_.preamble_turn);
    for (std::size_t index = 0; index < messages_.size(); ++index) write_message(index);
    write_end();
    if (!options_.post_instruction) writer_.truncate(user_.end);
    RenderedPrompt prompt = writer_.take();
    prompt.user = user_;
    return prompt;
  }

 private:
  void add_system() {
    const auto& system = options_.system ? options_.system : spec_.default_system;
    const bool has_own = !messages_.empty() && messages_.front().role == "system";
    if (system && !has_own) messages_.insert(messages_.begin(), {"system", *system});
  }

  std::size_t find_last_user() const {
    for (std::size_t index = messages_.size(); index-- > 0;) {
      if (messages_[index].role == "user") return index;
    }
    throw InputError("template {}: the exchange has no user turn", spec_.name);
  }

  void write_bos() {
    if (options_.bos || writer_.size() > 0) writer_.write(spec_.bos, Part::kBos);
  }

  void write_preamble_turn(const TurnFormat& format) {
    writer_.write_literal(format.before);
    writer_.write(expanded_preamble(), Part::kSystem);
    writer_.write_literal(format.after);
  }

  void write_end() {
    if (!options_.generation_prompt) return writer_.write_literal(spec_.ending);
    if (messages_.back().role == "assistant") return;
    writer_.write_literal(spec_.generation_prompt);
    if (arg("enable_thinking") == "false") writer_.write_literal(spec_.no_thinking);
  }

  void write_message(std::size_t index) {
    const Message& message = messages_[index];
    if (message.role == "system" && spec_.skip_empty_system && message.content.empty()) return;
    if (message.role == "system" && is_in_user_turn(spec_.system_place)) {
      system_block_ = message.content;
      return;
    }
    if (spec_.bos_every_turn && message.role == "user") write_bos();
    write_turn(index, format_of(message.role));
  }

  void write_turn(std::size_t index, const TurnFormat& format) {
    const Message& message = messages_[index];
    writer_.write_literal(format.before);
    if (opens_with_preamble(index)) writer_.write(expanded_preamble(), Part::kSystem);
    const std::size_t block = writer_.size();
    if (carries_system(index)) write_system_block();
    if (const auto found = thinking_.find(index); found != thinking_.end())
      write_thinking(index, found->second);
    const std::size_t text = writer_.size();
    const std::size_t begin = spec_.strip_with_system ? block : text;
    const bool strip_start = format.strip && begin == text;
    if (index == last_user_ && options_.frame) {
      write_framed(*options_.frame, message.content, strip_start);
    } else {
      writer_.write_content(strip_start ? python_lstrip(message.content) : message.content, part_of(index));
    }
    if (is_prefill(index)) return strip_prefill(format);
    if (format.strip) writer_.strip_end(begin);
    if (index == last_user_) user_ = {text, writer_.size()};
    const bool ends = index + 1 == messages_.size() && format.after_last;
    writer_.write_literal(ends ? *format.after_last : format.after);
  }

  bool opens_with_preamble(std::size_t index) const {
    return index == 0 && messages_[index].role == "system" && !spec_.preamble_turn;
  }

  bool carries_system(std::size_t index) const {
    const bool ends = index + 1 == messages_.size();
    return messages_[index].role == "user" && (spec_.system_place != SystemPlace::kLastUserTurn || ends);
  }

  // The markers are the template's; what stands between them is the message's own text.
  void write_thinking(std::size_t index, const std::string& reasoning) {
    writer_.write_literal("<think>\n");
    writer_.write_content(reasoning, part_of(index));
    writer_.write_literal("\n</think>\n\n");
  }

  // A frame is part of the template: with `raw` it writes the markers.
  void write_framed(const Frame& frame, std::string_view instruction, bool strip_start) {
    writer_.write(strip_start ? python_lstrip(frame.before) : frame.before, Part::kTemplate);
    writer_.write_content(instruction, Part::kInstruction);
    writer_.write(frame.between, Part::kTemplate);
    writer_.write(frame.question, Part::kQuestion);
  }

  void write_system_block() {
    if (!system_block_) return;
    writer_.write_literal(spec_.system.before);
    writer_.write_content(*system_block_, Part::kSystem);
    writer_.write_literal(spec_.system.after);
    system_block_.reset();
  }

  // transformers cuts a final turn that is to be continued where the text ends; if the template has trimmed
  // the text and writes no space of its own after it, the whole is then right-stripped.
  void strip_prefill(const TurnFormat& format) {
    if (format.strip && !format.after.starts_with(' ')) writer_.strip_end(0);
  }

  bool is_prefill(std::size_t index) const {
    return options_.generation_prompt && index + 1 == messages_.size() &&
           messages_[index].role == "assistant";
  }

  Part part_of(std::size_t index) const {
    if (index == last_user_) return Part::kInstruction;
    if (index > last_user_) return is_prefill(index) ? Part::kPrefill : Part::kPostInstruction;
    return messages_[index].role == "system" ? Part::kSystem : Part::kHistory;
  }

  const TurnFormat& format_of(const std::string& role) const {
    return role == "system" ? spec_.system : role == "user" ? spec_.user : spec_.assistant;
  }

  std::string arg(const std::string& name) const {
    if (const auto given = options_.args.find(name); given != options_.args.end()) return given->second;
    const auto known = spec_.args.find(name);
    return known == spec_.args.end() ? "" : known->second.fallback;
  }

  std::string expanded_preamble() const {
    std::string text = spec_.preamble;
    for (const auto& [name, ignored] : spec_.args) {
      const std::string place = "{" + name + "}";
      const std::size_t at = text.find(place);
      if (at != std::string::npos) text.replace(at, place.size(), arg(name));
    }
    return text;
  }

  const TemplateSpec& spec_;
  const TemplateOptions& options_;
  std::vector<Message> messages_;
  std::size_t last_user_ = 0;
  std::map<std::size_t, std::string> thinking_;  // by turn, the reasoning that is written before its text
  std::optional<std::string> system_block_;
  ByteSpan user_;
  PieceWriter writer_;
};

}  // namespace

std::string_view part_name(Part part) { return kPartNames[static_cast<std::size_t>(part)]; }

RenderedPrompt ChatTemplate::render(const std::vector<Message>& messages,
                                    const TemplateOptions& options) const {
  check_exchange(spec_, messages, options);
  if (raw() && (messages.size() != 1 || messages[0].role != "user" || options.system)) {
    throw InputError("template raw takes one text, without a system text or further turns");
  }
  return Renderer(spec_, options, messages).render();
}

std::map<std::string, std::string> clock_args(const TemplateSpec& spec, std::time_t now) {
  std::map<std::string, std::string> args;
  for (const auto& [name, arg] : spec.args) {
    if (!arg.clock.empty())
      args[name] = fmt::format(fmt::runtime("{:" + arg.clock + "}"), fmt::localtime(now));
  }
  return args;
}

std::vector<std::string> template_names() {
  std::vector<std::string> names;
  for (const TemplatePreset& preset : template_presets()) names.push_back(preset.spec.name);
  return names;
}

ChatTemplate template_by_name(std::string_view name) {
  for (const TemplatePreset& preset : template_presets()) {
    if (preset.spec.name == name) return ChatTemplate(preset.spec);
  }
  const std::vector<std::string> names = template_names();
  throw InputError("unknown template \"{}\"{} (known: auto, {}, or FILE.json)", name,
                   did_you_mean(name, names), join(names, ", "));
}

}  // namespace hrt
