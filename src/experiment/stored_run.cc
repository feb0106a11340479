#include "hrt/experiment/stored_run.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/run_directory.h"
#include "hrt/experiment/run_model.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kActivations = "activations.safetensors";
constexpr std::int64_t kMostLayers = 100'000;

std::string place_of(const fs::path& file, std::size_t index) {
  return fmt::format("{}:{}", file.string(), index + 1);
}

std::vector<Json> read_lines(const fs::path& file) {
  std::vector<Json> lines;
  const std::string content = read_file(file);
  if (trim(content).empty()) return lines;
  for (const std::string& text : split(trim(content), '\n')) {
    const auto number = static_cast<std::int64_t>(lines.size()) + 1;
    lines.push_back(parse_json(text, file.string(), number));
    if (!lines.back().is_object()) throw InputError("{}:{}: expected a JSON object", file.string(), number);
  }
  return lines;
}

Label label_of(const JsonObject& line) {
  const std::string text = line.string("label", "");
  if (text.empty()) return Label::kNone;
  if (const auto label = label_by_name(text)) return *label;
  throw InputError("{}: expected harmful or harmless, found \"{}\"", line.where("label"),
                   escape_for_terminal(text));
}

std::vector<std::int64_t> ids_of(const JsonObject& line, std::string_view key) {
  const Json* list = line.find(key);
  const auto is_id = [](const Json& value) { return value.is_number_integer(); };
  if (list == nullptr || !list->is_array() || !std::ranges::all_of(*list, is_id))
    throw InputError("{}: expected a list of token ids", line.where(key));
  return list->get<std::vector<std::int64_t>>();
}

std::vector<Message> messages_of(const JsonObject& line) {
  std::vector<Message> messages;
  const Json* list = line.find("messages");
  if (list == nullptr) return messages;
  for (const Json& value : *list) {
    const JsonObject message(value, line.where("messages"));
    messages.push_back({message.string("role"), message.string("content")});
  }
  return messages;
}

void check_outcome(const JsonObject& line) {
  const std::string outcome = line.string("outcome", outcome_name(Outcome::kUnknown));
  if (outcome != outcome_name(Outcome::kUnknown) && !outcome_by_name(outcome))
    throw InputError("{}: expected refused, accepted or unknown, found \"{}\"", line.where("outcome"),
                     escape_for_terminal(outcome));
}

// A position as prompts.jsonl has it; nothing where the prompt lacks it.
std::optional<TokenRange> range_of(const JsonObject& positions, const PositionSpec& spec,
                                   std::size_t tokens) {
  if (!positions.has(spec.name)) return std::nullopt;
  const JsonObject position = positions.object(spec.name);
  const std::int64_t begin = position.integer(spec.is_span() ? "begin" : "index");
  const TokenRange range{begin, spec.is_span() ? position.integer("end") : begin + 1};
  if (range.begin < 0 || range.end <= range.begin || std::cmp_greater(range.end, tokens))
    throw InputError("{}: does not lie in the {} tokens that are there", positions.where(spec.name), tokens);
  return range;
}

PreparedPrompt prompt_of(const JsonObject& line, const std::vector<PositionSpec>& specs) {
  PreparedPrompt prompt;
  PromptRecord& record = prompt.record;
  record.id = line.string("id");
  record.set = line.string("set");
  record.role = line.string("role", "");
  record.label = label_of(line);
  record.category = line.string("category", "");
  check_outcome(line);
  if (line.has("instruction")) record.instruction = line.string("instruction");
  record.messages = messages_of(line);
  prompt.prompt.ids = ids_of(line, "tokens");
  if (line.has("reply_tokens")) prompt.reply = PreparedReply{ids_of(line, "reply_tokens"), {}};
  const std::size_t of_reply = prompt.reply ? prompt.reply->ids.size() : 0;
  for (const PositionSpec& spec : specs) {
    const std::size_t tokens = prompt.prompt.ids.size() + (spec.in_reply() ? of_reply : 0);
    prompt.positions.push_back(range_of(line.object("positions"), spec, tokens));
  }
  return prompt;
}

using Numbers = std::unordered_map<std::string_view, std::size_t>;

// Of prompts by their ids, which belong to one each.
Numbers numbers_of(const PromptSet& set, const fs::path& file) {
  Numbers numbers;
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const auto [first, added] = numbers.emplace(set.prompts[i].record.id, i);
    if (!added)
      throw InputError("{}: /id: \"{}\" stands already in line {}", place_of(file, i),
                       escape_for_terminal(first->first), first->second + 1);
  }
  return numbers;
}

PromptSet prompts_of(const std::vector<Json>& lines, const fs::path& file, std::vector<PositionSpec> specs) {
  PromptSet set;
  if (lines.empty()) throw InputError("{}: no prompts in it", file.string());
  set.specs = std::move(specs);
  for (std::size_t i = 0; i < lines.size(); ++i)
    set.prompts.push_back(prompt_of(JsonObject(lines[i], place_of(file, i)), set.specs));
  numbers_of(set, file);
  return set;
}

// The replies of an extraction stand in the order of its prompts, at most one of each.
void check_replies(const std::vector<Json>& lines, const PromptSet& set, const fs::path& file,
                   bool one_each) {
  const Numbers numbers = numbers_of(set, file);
  std::size_t next = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const JsonObject line(lines[i], place_of(file, i));
    const std::string id = line.string("id");
    const auto number = numbers.find(id);
    if (number == numbers.end()) throw InputError("{}: no prompt of the run has this id", line.where("id"));
    if (one_each && number->second < next)
      throw InputError("{}: not in the order of prompts.jsonl, or there twice", line.where("id"));
    next = number->second + 1;
    if (line.has("text")) line.string("text");
    line.string("verdict");
    ids_of(line, "tokens");
  }
}

// None where the run's command captures none.
std::vector<PositionSpec> positions_of(const Json& config, const fs::path& manifest) {
  const auto names = config.value("positions", Json::array()).get<std::vector<std::string>>();
  if (names.empty()) return {};
  try {
    return parse_positions(names);
  } catch (const InputError& error) {
    throw InputError("{}: /config/positions: {}", manifest.string(), error.what());
  }
}

}  // namespace

StoredRun::StoredRun(const fs::path& path, Command command) : path_(path), command_(command) {
  if (!fs::exists(file("manifest.json")))
    throw InputError("{}: no run: it has no manifest.json", path.string());
  manifest_ = read_manifest(path);
  const JsonObject manifest(manifest_, file("manifest.json").string());
  if (manifest.string("status") != "complete")
    throw InputError("{}: the run is not complete: --resume ends it", path.string());
  if (manifest.string("command") != command_name(command)) {
    throw InputError("{}: a run of `hrt {}`, expected one of `hrt {}`", path.string(),
                     escape_for_terminal(manifest.string("command")), command_name(command));
  }
  config_ = stored_config(manifest_, file("manifest.json"), command);
  prompt_lines_ = read_lines(file("prompts.jsonl"));
  set_ = prompts_of(prompt_lines_, file("prompts.jsonl"), positions_of(config_, file("manifest.json")));
}

std::string StoredRun::template_name() const {
  return JsonObject(manifest_, file("manifest.json").string()).object("template").string("name");
}

std::string StoredRun::model_fingerprint() const {
  return stored_fingerprint(manifest_, file("manifest.json").string());
}

std::string StoredRun::dtype() const {
  return JsonObject(manifest_, file("manifest.json").string()).string("dtype", "");
}

std::vector<std::int64_t> StoredRun::rows() const {
  const JsonObject manifest(manifest_, file("manifest.json").string());
  const JsonObject model = manifest.object("model");
  const std::int64_t layers = model.integer("layers");
  if (layers < 1 || layers > kMostLayers)
    throw InputError("{}: expected 1..{}, found {}", model.where("layers"), kMostLayers, layers);
  return resolve_layers(config_.at("layers"), layers + 1);
}

std::vector<Json> StoredRun::reply_lines() const {
  const fs::path place = file("replies.jsonl");
  std::vector<Json> lines = fs::exists(place) ? read_lines(place) : std::vector<Json>{};
  const JsonObject manifest(manifest_, file("manifest.json").string());
  const auto count = static_cast<std::int64_t>(lines.size());
  const std::int64_t written =
      manifest.has("counts") ? manifest.object("counts").integer("replies", count) : count;
  if (written != count)
    throw InputError("{}: holds {} replies, the run wrote {}", place.string(), count, written);
  check_replies(lines, set_, place, command_ == Command::kExtract);
  return lines;
}

fs::path StoredRun::activations() const {
  if (fs::exists(file(kActivations))) return file(kActivations);
  const JsonObject manifest(manifest_, file("manifest.json").string());
  const std::string store = config_.value("store", "all");
  if (store != "all")
    throw InputError("{}: the run stored no activations (--store {})", path_.string(),
                     escape_for_terminal(store));
  if (!manifest.has("activations")) throw InputError("{}: {} is missing", path_.string(), kActivations);
  const fs::path elsewhere = manifest.string("activations");
  if (!fs::exists(elsewhere)) {
    throw InputError("{}: its activations lie in {}, which is not there any more", path_.string(),
                     elsewhere.string());
  }
  return elsewhere;
}

InputError not_as_written(const fs::path& file, const Json::exception& error) {
  return InputError("{}: not as hrt writes it: {}", file.string(), escape_for_terminal(reason_of(error)));
}

Outcome stored_outcome(const Json& name) {
  const auto outcome = name.is_string() ? outcome_by_name(name.get<std::string>()) : std::nullopt;
  return outcome.value_or(Outcome::kUnknown);
}

PromptSet read_stored_prompts(const fs::path& file, const std::vector<std::string>& positions) {
  return prompts_of(read_lines(file), file,
                    positions.empty() ? std::vector<PositionSpec>{} : parse_positions(positions));
}

}  // namespace hrt
