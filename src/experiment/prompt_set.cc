#include "hrt/experiment/prompt_set.h"

#include <algorithm>
#include <ctime>
#include <functional>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/log.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/data/inversion.h"
#include "hrt/experiment/reply_positions.h"
#include "hrt/text/tokenizer_files.h"

namespace hrt {
namespace {

// Prompts that break one rule: reported together, the first with its place.
class Offenders {
 public:
  void add(const PromptRecord& record) {
    if (count_++ == 0) {
      first_ = fmt::format("{} ({})", place_of(record), record.id);
    } else if (others_.size() < kNamed) {
      others_.push_back(record.id);
    }
  }

  void refuse(std::string_view what) const {
    if (count_ == 0) return;
    if (count_ == 1) throw InputError("{}: {}", first_, what);
    const std::size_t unnamed = count_ - 1 - others_.size();
    throw InputError("{}: {} ({} such prompts: also {}{})", first_, what, count_, join(others_, ", "),
                     unnamed == 0 ? "" : fmt::format(" and {} more", unnamed));
  }

 private:
  static constexpr std::size_t kNamed = 20;

  std::size_t count_ = 0;
  std::string first_;
  std::vector<std::string> others_;
};

void refuse_all(const PromptSet& set, std::string_view what,
                const std::function<bool(const PreparedPrompt&)>& bad) {
  Offenders offenders;
  for (const PreparedPrompt& prompt : set.prompts) {
    if (bad(prompt)) offenders.add(prompt.record);
  }
  offenders.refuse(what);
}

void check_straddles(PromptSet& set, const TextSetup& text, std::string rule) {
  // A question mark and the line break before the question are one token in some vocabularies: it is t_inst.
  if (rule == "auto") rule = text.options.chat.frame ? "keep" : "error";
  const auto straddles = [](const PreparedPrompt& p) { return p.prompt.straddle; };
  const auto count = std::count_if(set.prompts.begin(), set.prompts.end(), straddles);
  if (rule == "error") {
    refuse_all(set, "a token lies on both sides of the instruction's edge (--straddle skip|keep)", straddles);
  } else if (rule == "skip") {
    std::erase_if(set.prompts, straddles);
    set.skipped_straddles = count;
  } else {
    set.kept_straddles = count;
  }
}

void check_tokens(const PromptSet& set, const PromptLimits& limits) {
  const auto outside = [&](std::int64_t id) { return id < 0 || id >= limits.vocabulary; };
  refuse_all(set, fmt::format("a token id outside the vocabulary of {}", limits.vocabulary),
             [&](const PreparedPrompt& p) {
               return std::ranges::any_of(p.prompt.ids, outside) ||
                      (p.reply && std::ranges::any_of(p.reply->ids, outside));
             });
  refuse_all(
      set,
      fmt::format("longer than the model's {} tokens{}", limits.max_tokens,
                  limits.max_new_tokens > 0 ? fmt::format(" with {} new ones", limits.max_new_tokens) : ""),
      [&](const PreparedPrompt& p) {
        const auto length = static_cast<std::int64_t>(p.prompt.ids.size());
        const auto given = static_cast<std::int64_t>(p.reply ? p.reply->ids.size() : 0);
        return length + (p.reply ? given : limits.max_new_tokens) > limits.max_tokens;
      });
}

void check_positions(const PromptSet& set) {
  for (std::size_t i = 0; i < set.specs.size(); ++i) {
    if (set.specs[i].in_reply()) continue;
    refuse_all(set, fmt::format("has no position {} (--missing skip leaves it out there)", set.specs[i].name),
               [&](const PreparedPrompt& p) { return !p.positions[i].has_value(); });
  }
}

Json position_in_reply(const PreparedPrompt& prompt, std::int64_t token) {
  const PreparedReply& reply = *prompt.reply;
  const auto text = reply.texts.find(token);
  return {{"index", token},
          {"id", reply.ids.at(static_cast<std::size_t>(token) - prompt.prompt.ids.size())},
          {"text", text != reply.texts.end() ? Json(text->second) : Json()},
          {"part", "response"}};
}

Json position_json(const PreparedPrompt& prompt, const TokenRange& range, bool span) {
  if (span) return {{"begin", range.begin}, {"end", range.end}};
  if (std::cmp_greater_equal(range.begin, prompt.prompt.ids.size()))
    return position_in_reply(prompt, range.begin);
  const auto text = token_text(prompt.prompt, range.begin);
  return {{"index", range.begin},
          {"id", prompt.prompt.ids.at(static_cast<std::size_t>(range.begin))},
          {"text", text ? Json(*text) : Json()},
          {"part", part_name(prompt.prompt.parts.at(static_cast<std::size_t>(range.begin)))}};
}

}  // namespace

std::vector<std::int64_t> TextSetup::end_of_turn() const {
  std::vector<std::int64_t> ids;
  if (tokenizer == nullptr) return ids;
  for (const std::string& marker : chat.end_of_turn()) {
    if (const auto id = tokenizer->id_of(marker)) ids.push_back(*id);
  }
  return ids;
}

std::vector<std::int64_t> TextSetup::stop_tokens(const Checkpoint& checkpoint) const {
  std::set<std::int64_t> stops(checkpoint.stop_tokens().begin(), checkpoint.stop_tokens().end());
  for (const std::int64_t id : end_of_turn()) stops.insert(id);
  return {stops.begin(), stops.end()};
}

TextSetup open_text(const Json& config, const std::filesystem::path& model, bool needs_text) {
  TextSetup setup;
  std::string name = config.at("template");
  setup.reason = "asked for";
  if (config.value("task", "") == "inversion") {
    const Inversion inversion = Inversion::load(config.at("question"), data_dir());
    setup.options.chat.frame = inversion.frame;
    if (name == "auto" && inversion.chat_template) name = *inversion.chat_template;
  }
  setup.template_content = config.value("template_content", Json());
  if (!setup.template_content.is_null()) {
    setup.chat = parse_template(setup.template_content, name, "template " + name);
  } else if (is_template_file(name)) {
    setup.chat = read_template(name);
    setup.template_content = read_json(name);
  } else if (name != "auto") {
    setup.chat = template_by_name(name);
  }
  if (!needs_text && name != "raw" && !has_tokenizer(model))
    throw InputError("{}: has no tokenizer, and prompts given as tokens need --template raw", model.string());
  if (needs_text || name != "raw") setup.tokenizer = open_tokenizer(model);
  if (name == "auto") {
    const TemplateChoice choice = choose_template(model, *setup.tokenizer);
    setup.chat = template_by_name(choice.name);
    setup.reason = choice.reason;
  } else {
    setup.disagreement = template_disagreement(model, setup.chat);
  }
  if (setup.tokenizer != nullptr) {
    const std::vector<std::string> missing = missing_markers(*setup.tokenizer, setup.chat);
    if (!missing.empty()) {
      throw InputError("template {}: the vocabulary of {} has no token {}", setup.chat.name(), model.string(),
                       join(missing, ", "));
    }
  }
  setup.options.bos = parse_bos_mode(config.at("bos").get<std::string>());
  setup.options.parse_special = config.at("parse_special");
  setup.options.chat.post_instruction = config.at("post_instruction");
  if (!config.at("system").is_null()) setup.options.chat.system = config.at("system").get<std::string>();
  setup.clock = clock_args(setup.chat.spec(), std::time(nullptr));
  for (const auto& [key, value] : config.at("template_arg").items()) {
    setup.options.chat.args[key] = value;
    setup.clock.erase(key);
  }
  setup.options.chat.args.insert(setup.clock.begin(), setup.clock.end());
  return setup;
}

TemplatedPrompt template_record(const PromptRecord& record, const TextSetup& text) {
  if (!record.tokens.empty()) {
    if (!text.chat.raw())
      throw InputError("{}: prompts given as tokens need --template raw", place_of(record));
    return prompt_from_ids(record.tokens);
  }
  PromptOptions options = text.options;
  options.chat.post_instruction = record.post_instruction.value_or(options.chat.post_instruction);
  try {
    return prepare_prompt(*text.tokenizer, text.chat, messages_of(record), options);
  } catch (const InputError& error) {
    throw InputError("{}: {}", place_of(record), error.what());
  }
}

bool PromptSet::has(Label label) const {
  return std::any_of(prompts.begin(), prompts.end(), [&](const auto& p) { return p.record.label == label; });
}

bool PromptSet::asks_for_replies() const { return std::ranges::any_of(specs, &PositionSpec::in_reply); }

std::optional<std::size_t> PromptSet::position(std::string_view name) const {
  const auto found =
      std::find_if(specs.begin(), specs.end(), [&](const PositionSpec& s) { return s.name == name; });
  if (found == specs.end()) return std::nullopt;
  return static_cast<std::size_t>(found - specs.begin());
}

PromptSet prepare_prompts(std::vector<PromptRecord> records, const TextSetup& text, const Json& config,
                          const PromptLimits& limits) {
  PromptSet set;
  const Json& positions = config.contains("positions") ? config.at("positions") : Json::array();
  if (!positions.empty()) set.specs = parse_positions(positions.get<std::vector<std::string>>());
  for (PromptRecord& record : records) {
    TemplatedPrompt prompt = template_record(record, text);
    set.leading_spaces += prompt.takes_leading_space;
    set.prompts.push_back({std::move(record), std::move(prompt)});
  }
  refuse_all(set, "the instruction is empty", [](const PreparedPrompt& p) { return !p.prompt.instruction; });
  check_straddles(set, text, config.at("straddle"));
  for (PreparedPrompt& prompt : set.prompts) prompt.positions = resolve(set.specs, prompt.prompt);
  if (set.asks_for_replies()) add_given_replies(set, text);
  check_tokens(set, limits);
  if (!set.specs.empty() && config.at("missing") == "error") check_positions(set);
  return set;
}

Json prompt_line(const PreparedPrompt& prompt, const std::vector<PositionSpec>& specs, Outcome outcome) {
  const PromptRecord& record = prompt.record;
  const auto text_or_null = [](std::string_view text) { return text.empty() ? Json() : Json(text); };
  Json line{{"id", record.id},
            {"set", record.set},
            {"label", text_or_null(label_name(record.label))},
            {"outcome", text_or_null(outcome_name(outcome))},
            {"category", text_or_null(record.category)},
            {"tokens", prompt.prompt.ids}};
  if (prompt.reply) line["reply_tokens"] = prompt.reply->ids;
  if (!record.role.empty()) line["role"] = record.role;
  Json& positions = line["positions"] = Json::object();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const auto& range = prompt.positions[i];
    positions[specs[i].name] = range ? position_json(prompt, *range, specs[i].is_span()) : Json();
  }
  if (record.system) line["system"] = *record.system;
  if (record.instruction) line["instruction"] = *record.instruction;
  if (!record.messages.empty()) {
    for (const Message& message : record.messages) {
      line["messages"].push_back({{"role", message.role}, {"content", message.content}});
    }
  }
  for (const auto& [key, value] : record.extra.items()) {
    if (!line.contains(key)) line[key] = value;  // a run's own prompts.jsonl may come back as input
  }
  return line;
}

}  // namespace hrt
