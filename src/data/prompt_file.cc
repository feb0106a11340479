#include "hrt/data/prompt_file.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "field_path.h"
#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/data/record_file.h"

namespace hrt {
namespace {

const std::vector<std::string> kKnownFields = {"id",       "label",  "outcome", "category",    "system",
                                               "messages", "tokens", "reply",   "reply_tokens"};

constexpr std::size_t kMaxText = std::size_t{1} << 20;  // bytes; longer ones would be tokenised for minutes

void check_size(std::string_view text, const std::string& where) {
  if (text.size() > kMaxText)
    throw InputError("{}: a text of {} bytes, expected at most {}", where, text.size(), kMaxText);
}

std::string text_of(const JsonObject& object, std::string_view key) {
  std::string text = object.string(key);
  check_size(text, object.where(key));
  return text;
}

// Reads the fields of one record; every error names the file and line.
class RecordReader {
 public:
  RecordReader(const PromptSource& source, const FieldPath& field, const RawRecord& raw)
      : source_(source),
        field_(field),
        raw_(raw),
        place_(fmt::format("{}:{}", source.file.string(), raw.line)),
        object_(raw.value, place_) {}

  PromptRecord read(const std::string& set) const {
    PromptRecord record;
    record.file = source_.file;
    record.line = raw_.line;
    record.set = set;
    record.role = source_.role;
    record.side = source_.side;
    record.post_instruction = source_.post_instruction;
    record.id = id(set);
    record.label = label();
    record.outcome = outcome();
    record.category = object_.string(source_.category_field.value_or("category"), "");
    record.system = optional_text("system");
    read_text(record);
    read_reply(record);
    record.extra = unknown_fields();
    return record;
  }

 private:
  std::optional<std::string> optional_text(std::string_view key) const {
    return object_.has(key) ? std::optional(text_of(object_, key)) : std::nullopt;
  }

  std::string id(const std::string& set) const {
    const Json* value = object_.find("id");
    if (value == nullptr) return fmt::format("{}:{}", set, raw_.line);
    if (value->is_number_integer()) return value->dump();
    const std::string text = object_.string("id");
    if (text.empty()) throw InputError("{}: expected a text or a whole number", object_.where("id"));
    return text;
  }

  Label label() const {
    const std::string text = object_.string("label", "");
    if (text.empty()) return source_.label;
    const auto own = label_by_name(text);
    if (!own)
      throw InputError("{}: expected harmful or harmless, found \"{}\"", object_.where("label"), text);
    if (source_.label != Label::kNone && source_.label != *own) {
      throw InputError("{}: {} contradicts the file being given as {}", object_.where("label"), text,
                       label_name(source_.label));
    }
    return *own;
  }

  std::optional<Outcome> outcome() const {
    const std::string text = object_.string("outcome", "");
    if (text.empty()) return std::nullopt;
    if (const auto own = outcome_by_name(text)) return own;
    throw InputError("{}: expected refused or accepted, found \"{}\"", object_.where("outcome"), text);
  }

  void read_text(PromptRecord& record) const {
    std::string missing;
    record.instruction = field_.text_in(raw_.value, place_, missing);
    if (record.instruction)
      check_size(*record.instruction, fmt::format("{}: field \"{}\"", place_, source_.field));
    if (object_.has("messages")) record.messages = messages(record);
    if (object_.has("tokens")) record.tokens = ids("tokens");
    if (object_.has("tokens") && record.tokens.empty())
      throw InputError("{}: expected at least one token id", object_.where("tokens"));
    const bool exchange = !record.messages.empty();
    const bool ids = !record.tokens.empty();
    // An empty instruction beside one of these is none.
    if ((exchange || ids) && record.instruction && record.instruction->empty()) record.instruction.reset();
    if (record.instruction.has_value() + exchange + ids > 1) {
      throw InputError("{}: has more than one of \"{}\", \"messages\" and \"tokens\"", place_, source_.field);
    }
    if (!record.instruction && !exchange && !ids) refuse_missing(missing);
    if (ids && record.system) throw InputError("{}: \"system\" cannot stand beside \"tokens\"", place_);
  }

  void read_reply(PromptRecord& record) const {
    record.reply = optional_text("reply");
    if (object_.has("reply_tokens")) record.reply_tokens = ids("reply_tokens");
    if (record.reply && record.reply_tokens)
      throw InputError("{}: has both \"reply\" and \"reply_tokens\"", place_);
  }

  [[noreturn]] void refuse_missing(const std::string& missing) const {
    if (find_field(raw_.value, missing) != nullptr)
      throw InputError("{}: field \"{}\": expected a text, found nothing", place_, missing);
    std::vector<std::string> names;
    for (const auto& [key, value] : raw_.value.items()) names.push_back(key);
    throw InputError("{}: no field \"{}\"{} (fields: {}; `field` says which one holds the instruction)",
                     place_, missing, did_you_mean(missing, names), join(names, ", "));
  }

  Message message(const Json& value, std::size_t index) const {
    const JsonObject object(value, place_, fmt::format("/messages/{}", index));
    Message message{object.string("role"), text_of(object, "content")};
    if (message.role != "system" && message.role != "user" && message.role != "assistant") {
      throw InputError("{}: expected system, user or assistant, found \"{}\"", object.where("role"),
                       message.role);
    }
    return message;
  }

  std::vector<Message> messages(const PromptRecord& record) const {
    const Json* list = object_.find("messages");
    if (!list->is_array()) throw InputError("{}: expected a list of turns", object_.where("messages"));
    std::vector<Message> messages;
    for (const Json& value : *list) messages.push_back(message(value, messages.size()));
    if (std::ranges::none_of(messages, [](const Message& turn) { return turn.role == "user"; })) {
      throw InputError("{}: expected at least one user turn", object_.where("messages"));
    }
    if (record.system && messages.front().role == "system") {
      throw InputError("{}: begins with a system turn, and \"system\" gives another",
                       object_.where("messages"));
    }
    return messages;
  }

  std::vector<std::int64_t> ids(std::string_view key) const {
    const Json* list = object_.find(key);
    const auto is_id = [](const Json& value) {
      return value.is_number_unsigned() && value.get<std::uint64_t>() <= INT32_MAX;
    };
    if (!list->is_array() || !std::ranges::all_of(*list, is_id))
      throw InputError("{}: expected a list of token ids", object_.where(key));
    return list->get<std::vector<std::int64_t>>();
  }

  Json unknown_fields() const {
    Json extra = Json::object();
    auto& fields = extra.get_ref<Json::object_t&>();  // keys are distinct: no look-up a key
    for (const auto& [key, value] : raw_.value.items()) {
      const bool known = std::ranges::find(kKnownFields, key) != kKnownFields.end() || field_.names(key);
      if (!known) fields.push_back({key, value});
    }
    return extra;
  }

  const PromptSource& source_;
  const FieldPath& field_;
  const RawRecord& raw_;
  std::string place_;
  JsonObject object_;
};

bool matches(const PromptSource& source, const Json& record) {
  return std::ranges::all_of(source.where, [&](const auto& condition) {
    const Json* value = find_field(record, condition.first);
    return value != nullptr && *value == condition.second;
  });
}

void read_source(const PromptSource& source, const std::string& set, std::vector<PromptRecord>& records) {
  // A .txt has one nameless column, whatever the other files' field is.
  const FieldPath field(kind_of(source.file) == ".txt" ? "instruction" : source.field);
  std::int64_t skipped = 0;
  std::int64_t count = 0;
  bool has_category = !source.category_field;
  for_each_record(source.file, [&](RawRecord raw) {
    if (source.limit && count >= *source.limit) return false;
    if (!matches(source, raw.value)) return true;
    if (skipped < source.skip) {
      ++skipped;
      return true;
    }
    has_category = has_category || raw.value.contains(*source.category_field);
    records.push_back(RecordReader(source, field, raw).read(set));
    ++count;
    return true;
  });
  if (count == 0) {
    throw InputError("{}: no prompts in it{}", source.file.string(),
                     source.where.empty() ? "" : " that meet the conditions");
  }
  if (!has_category) {
    throw InputError("{}: no prompt has the field \"{}\", which `category_field` names", source.file.string(),
                     *source.category_field);
  }
}

// Ids are told apart where one prompt of a file is taken twice, with and without what stands behind its
// instruction
// ("ID~2"); other prompts of one id are an error.
void check_ids(std::vector<PromptRecord>& records) {
  std::unordered_map<std::string, const PromptRecord*> seen;
  for (PromptRecord& record : records) {
    auto [other, added] = seen.emplace(record.id, &record);
    const PromptRecord& first = *other->second;
    const bool taken_twice = !added && first.file == record.file && first.line == record.line &&
                             first.post_instruction != record.post_instruction;
    if (taken_twice) {
      record.id += "~2";
      added = seen.emplace(record.id, &record).second;
    }
    if (!added) {
      throw InputError("{}: id \"{}\" stands already at {}", place_of(record), record.id, place_of(first));
    }
  }
}

// What of its file a source takes.
auto what_of(const PromptSource& source) {
  return std::tie(source.field, source.where, source.skip, source.post_instruction);
}

// The same prompts of the same file twice are a slip, whatever the labels.
void check_sources(std::span<const PromptSource> sources) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      std::error_code ignored;
      const bool same_file = std::filesystem::equivalent(sources[i].file, sources[j].file, ignored);
      if (!same_file || what_of(sources[i]) != what_of(sources[j])) continue;
      throw InputError("{}: is given twice{}", sources[i].file.string(),
                       sources[i].label == sources[j].label ? "" : ", with two labels");
    }
  }
}

}  // namespace

std::string place_of(const PromptRecord& record) {
  if (record.file.empty()) return "--prompt";
  return fmt::format("{}:{}", record.file.string(), record.line);
}

std::vector<Message> messages_of(const PromptRecord& record) {
  std::vector<Message> messages = record.messages;
  if (record.instruction) messages.push_back({"user", *record.instruction});
  if (record.system) messages.insert(messages.begin(), {"system", *record.system});
  return messages;
}

std::vector<PromptRecord> read_prompts(std::span<const PromptSource> sources) {
  check_sources(sources);
  std::vector<PromptRecord> records;
  std::unordered_map<std::string, int> stems;
  for (const PromptSource& source : sources) {
    const std::string stem = source.file.stem().string();
    const int number = ++stems[stem];
    read_source(source, number == 1 ? stem : fmt::format("{}~{}", stem, number), records);
  }
  check_ids(records);
  return records;
}

std::vector<PromptRecord> read_prompts(const PromptSource& source) {
  return read_prompts(std::span(&source, 1));
}

PromptRecord read_prompt(Json value, std::int64_t line, const PromptSource& source) {
  const FieldPath field(source.field);
  const RawRecord raw{std::move(value), line};
  return RecordReader(source, field, raw).read(source.file.stem().string());
}

}  // namespace hrt
