#include <algorithm>
#include <optional>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "hrt/text/chat_template.h"
#include "hrt/text/templated_prompt.h"
#include "template_presets.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxTemplateBytes = 1 << 20;

struct JinjaText {
  std::string text;
  std::string file;
};

// `chat_template` is one text, or a list of named ones of which "default" counts.
std::optional<std::string> template_of_config(const fs::path& file) {
  const Json config = read_json(file);
  const Json* value = JsonObject(config, file.string()).find("chat_template");
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (value->is_array()) {
    for (const Json& entry : *value) {
      const JsonObject named(entry, file.string(), "/chat_template");
      if (named.string("name") == "default") return named.string("template");
    }
  }
  throw InputError("{}: /chat_template: expected a text, or a list of named texts with one \"default\"",
                   file.string());
}

std::optional<JinjaText> find_jinja(const fs::path& folder) {
  const fs::path jinja = folder / "chat_template.jinja";
  if (fs::exists(jinja)) return JinjaText{read_file(jinja, kMaxTemplateBytes), jinja.filename().string()};
  const fs::path config = folder / "tokenizer_config.json";
  if (!fs::exists(config)) return std::nullopt;
  const auto text = template_of_config(config);
  return text ? std::optional(JinjaText{*text, config.filename().string()}) : std::nullopt;
}

bool matches(const TemplateSignature& signature, const std::string& text) {
  const auto in_text = [&](const std::string& part) { return text.find(part) != std::string::npos; };
  return !signature.contains.empty() && std::ranges::all_of(signature.contains, in_text) &&
         std::ranges::none_of(signature.lacks, in_text);
}

const TemplatePreset* recognise(const std::string& text) {
  const auto& presets = template_presets();
  const auto found = std::ranges::find_if(
      presets, [&](const TemplatePreset& preset) { return matches(preset.signature, text); });
  return found == presets.end() ? nullptr : &*found;
}

// Jinja texts may call the BOS and EOS by their names in tokenizer_config.json.
bool names_token(const std::string& jinja, const TemplateSpec& spec, const std::string& token) {
  const auto has = [&](std::string_view part) { return jinja.find(part) != std::string::npos; };
  const bool is_eos =
      token == spec.ending || std::ranges::find(spec.end_of_turn, token) != spec.end_of_turn.end();
  return has(token) || (token == spec.bos && has("bos_token")) || (is_eos && has("eos_token"));
}

// Names of the templates whose markers are tokens of this vocabulary, for the error message.
std::string fitting_names(const Tokenizer& tokenizer) {
  std::vector<std::string> names;
  for (const TemplatePreset& preset : template_presets()) {
    const bool fits = missing_markers(tokenizer, ChatTemplate(preset.spec)).empty();
    if (fits) names.push_back(preset.spec.name);
  }
  return join(names, ", ");
}

}  // namespace

TemplateChoice choose_template(const fs::path& folder, const Tokenizer& tokenizer) {
  const auto jinja = find_jinja(folder);
  if (!jinja) {
    throw InputError(
        "{}: no chat template in tokenizer_config.json or chat_template.jinja, so --template auto "
        "does not know; give --template NAME (this vocabulary has the tokens of: {})",
        folder.string(), fitting_names(tokenizer));
  }
  const TemplatePreset* preset = recognise(jinja->text);
  if (preset == nullptr) {
    throw InputError(
        "{}: --template auto does not know the chat template in {}; give --template NAME or FILE.json (this "
        "vocabulary has the tokens of: {})",
        folder.string(), jinja->file, fitting_names(tokenizer));
  }
  const auto missing = missing_markers(tokenizer, ChatTemplate(preset->spec));
  if (!missing.empty()) {
    throw InputError(
        "{}: the chat template in {} looks like {}, but the vocabulary lacks {}; give --template "
        "NAME",
        folder.string(), jinja->file, preset->spec.name, join(missing, ", "));
  }
  return {preset->spec.name,
          fmt::format("{} has it: \"{}\"; the vocabulary has {}", jinja->file,
                      join(preset->signature.contains, "\", \""), join(preset->spec.markers, ", "))};
}

std::optional<std::string> template_disagreement(const fs::path& folder, const ChatTemplate& chat) {
  const auto jinja = chat.raw() ? std::nullopt : find_jinja(folder);
  if (!jinja) return std::nullopt;
  for (const TemplatePreset& preset : template_presets()) {
    if (preset.spec.name == chat.name() && matches(preset.signature, jinja->text)) return std::nullopt;
  }
  if (const TemplatePreset* other = recognise(jinja->text)) {
    return fmt::format("the chat template in {} is {}, not {}", jinja->file, other->spec.name, chat.name());
  }
  std::vector<std::string> unnamed = chat.markers();
  std::erase_if(unnamed, [&](const auto& token) { return names_token(jinja->text, chat.spec(), token); });
  if (unnamed.empty()) return std::nullopt;
  return fmt::format("the chat template in {} does not name {}, which template {} writes", jinja->file,
                     join(unnamed, ", "), chat.name());
}

}  // namespace hrt
