#include "hrt/text/chat_template.h"

#include <array>

#include "hrt/base/error.h"
#include "piece_writer.h"
#include "python_strip.h"
#include "template_presets.h"

namespace hrt {
namespace {

constexpr std::array<std::string_view, 8> kPartNames = {
    "bos", "template", "system", "history", "instruction", "question", "post_instruction", "prefill"};

class Renderer {
 public:
  Renderer(const TemplateSpec& spec, const TemplateOptions& options, std::vector<Message> messages)
      : spec_(spec), options_(options), messages_(std::move(messages)) {
    add_system();
    last_user_ = find_last_user();
  }

  RenderedPrompt render() {
    if (!spec_.bos_every_turn) write_bos();
    for (std::size_t index = 0; index < messages_.size(); ++index) write_message(index);
    if (options_.generation_prompt && messages_.back().role != "assistant") {
      writer_.write_literal(spec_.generation_prompt);
    }
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

  void write_message(std::size_t index) {
    const Message& message = messages_[index];
    if (message.role == "system" && spec_.system_place == SystemPlace::kFirstUserTurn) {
      system_block_ = message.content;
      return;
    }
    if (spec_.bos_every_turn && message.role == "user") write_bos();
    write_turn(index, format_of(message.role));
  }

  void write_turn(std::size_t index, const TurnFormat& format) {
    const Message& message = messages_[index];
    writer_.write_literal(format.before);
    if (index == 0 && message.role == "system") writer_.write(expanded_preamble(), Part::kSystem);
    const std::size_t begin = writer_.size();
    if (message.role == "user") write_system_block();
    const bool strip_start = format.strip && writer_.size() == begin;
    const std::size_t text = writer_.size();
    if (index == last_user_ && options_.frame) {
      write_framed(*options_.frame, message.content, strip_start);
    } else {
      writer_.write_content(strip_start ? python_lstrip(message.content) : message.content, part_of(index));
    }
    if (is_prefill(index)) return strip_prefill(format);
    if (format.strip) writer_.strip_end(begin);
    if (index == last_user_) user_ = {text, writer_.size()};
    writer_.write_literal(format.after);
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

  std::string expanded_preamble() const {
    std::string text = spec_.preamble;
    for (const auto& [name, fallback] : spec_.args) {
      const auto given = options_.args.find(name);
      const std::string place = "{" + name + "}";
      const std::size_t at = text.find(place);
      if (at != std::string::npos) {
        text.replace(at, place.size(), given == options_.args.end() ? fallback : given->second);
      }
    }
    return text;
  }

  const TemplateSpec& spec_;
  const TemplateOptions& options_;
  std::vector<Message> messages_;
  std::size_t last_user_ = 0;
  std::optional<std::string> system_block_;
  ByteSpan user_;
  PieceWriter writer_;
};

void check_roles(const TemplateSpec& spec, const std::vector<Message>& messages) {
  for (std::size_t index = 0; index < messages.size(); ++index) {
    const std::string& role = messages[index].role;
    if (role != "system" && role != "user" && role != "assistant") {
      throw InputError("template {}: turn {} has role \"{}\", expected system, user or assistant", spec.name,
                       index + 1, escape_for_terminal(role));
    }
  }
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

void check_args(const TemplateSpec& spec, const TemplateOptions& options) {
  std::vector<std::string> known;
  for (const auto& [name, fallback] : spec.args) known.push_back(name);
  for (const auto& [name, value] : options.args) {
    if (spec.args.contains(name)) continue;
    throw InputError("template {} takes no argument \"{}\"{} (it takes: {})", spec.name, name,
                     did_you_mean(name, known), known.empty() ? "none" : join(known, ", "));
  }
}

}  // namespace

std::string_view part_name(Part part) { return kPartNames[static_cast<std::size_t>(part)]; }

RenderedPrompt ChatTemplate::render(const std::vector<Message>& messages,
                                    const TemplateOptions& options) const {
  check_args(spec_, options);
  check_roles(spec_, messages);
  if (spec_.alternate) check_alternation(spec_, messages);
  if (raw() && (messages.size() != 1 || messages[0].role != "user" || options.system)) {
    throw InputError("template raw takes one text, without a system text or further turns");
  }
  return Renderer(spec_, options, messages).render();
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
  throw InputError("unknown template \"{}\"{} (known: auto, {})", name, did_you_mean(name, names),
                   join(names, ", "));
}

}  // namespace hrt
