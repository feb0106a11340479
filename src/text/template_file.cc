#include <algorithm>
#include <utility>

#include "hrt/base/error.h"
#include "hrt/base/json.h"
#include "hrt/base/known_keys.h"
#include "hrt/text/chat_template.h"

namespace hrt {
namespace {

constexpr std::uint64_t kMaxBytes = 1 << 20;

const std::vector<std::pair<std::string, SystemPlace>> kPlaces = {
    {"own_turn", SystemPlace::kOwnTurn},
    {"start", SystemPlace::kStart},
    {"first_user_turn", SystemPlace::kFirstUserTurn},
    {"last_user_turn", SystemPlace::kLastUserTurn},
    {"none", SystemPlace::kNone}};

TurnFormat read_turn(const JsonObject& file, const std::string& role) {
  const JsonObject turn = file.object(role);
  check_known_keys(turn, {"before", "after", "after_last", "strip"});
  TurnFormat format{turn.string("before", ""), turn.string("after", ""), turn.boolean("strip", false)};
  if (turn.has("after_last")) format.after_last = turn.string("after_last");
  return format;
}

std::vector<std::string> read_tokens(const JsonObject& file, const std::string& key) {
  std::vector<std::string> tokens;
  const Json* list = file.find(key);
  for (const Json& token : list == nullptr ? Json::array() : *list) {
    if (!list->is_array() || !token.is_string() || token == "")
      throw InputError("{}: expected a list of tokens", file.where(key));
    tokens.push_back(token);
  }
  return tokens;
}

SystemPlace read_place(const JsonObject& file) {
  const std::string name = file.string("system_place", "own_turn");
  const auto found = std::ranges::find(kPlaces, name, &std::pair<std::string, SystemPlace>::first);
  if (found != kPlaces.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& place : kPlaces) names.push_back(place.first);
  throw InputError("{}: \"{}\" is none of {}", file.where("system_place"), escape_for_terminal(name),
                   join(names, ", "));
}

// Without a turn of its own for system texts there may be none, or a place that needs no markers.
TurnFormat read_system(const JsonObject& file, SystemPlace place) {
  if (file.has("system")) return read_turn(file, "system");
  if (place == SystemPlace::kOwnTurn)
    throw InputError("{}: missing (\"system_place\": \"none\": the template takes no system text)",
                     file.where("system"));
  return {};
}

// A BOS is a marker, too: the vocabulary must have it, and inside a message it is plain text.
std::vector<std::string> read_markers(const JsonObject& file, const std::string& bos) {
  std::vector<std::string> markers = read_tokens(file, "markers");
  if (!bos.empty() && std::ranges::find(markers, bos) == markers.end()) markers.push_back(bos);
  return markers;
}

}  // namespace

bool is_template_file(std::string_view name) { return name.ends_with(".json"); }

ChatTemplate read_template(const std::filesystem::path& path) {
  return parse_template(read_json(path, kMaxBytes), path.stem().string(), path.string());
}

ChatTemplate parse_template(const Json& content, const std::string& name, const std::string& origin) {
  const JsonObject file(content, origin);
  check_known_keys(file, {"source", "bos", "bos_every_turn", "system", "user", "assistant",
                          "generation_prompt", "default_system", "system_place", "skip_empty_system",
                          "alternate", "ending", "markers", "end_of_turn"});
  TemplateSpec spec{.name = name};
  spec.bos = file.string("bos", "");
  spec.bos_every_turn = file.boolean("bos_every_turn", false);
  spec.system_place = read_place(file);
  spec.system = read_system(file, spec.system_place);
  spec.user = read_turn(file, "user");
  spec.assistant = read_turn(file, "assistant");
  spec.generation_prompt = file.string("generation_prompt", "");
  spec.ending = file.string("ending", "");
  if (file.has("default_system")) spec.default_system = file.string("default_system");
  spec.skip_empty_system = file.boolean("skip_empty_system", false);
  spec.alternate = file.boolean("alternate", false);
  spec.markers = read_markers(file, spec.bos);
  spec.end_of_turn = read_tokens(file, "end_of_turn");
  const std::vector<std::string> known = template_names();
  if (std::ranges::find(known, spec.name) != known.end())
    throw InputError("{}: {} is the name of a built-in template; call the file otherwise", origin, spec.name);
  return ChatTemplate(std::move(spec));
}

}  // namespace hrt
