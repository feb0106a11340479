#include "config_flags.h"

#include <map>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

// A flag's text as the JSON that the key holds. What does not fit is left to the check of the config, which
// knows what is expected.
Json value_of(const KeySpec& key, const std::vector<std::string>& texts) {
  const std::string& text = texts.back();
  switch (key.kind) {
    case KeyKind::kInteger:
    case KeyKind::kNumber: {
      Json number = Json::parse(text, nullptr, false);
      return number.is_discarded() ? Json(text) : number;
    }
    case KeyKind::kStrings:
      return split_list(text);
    case KeyKind::kNumbers: {
      Json numbers = Json::parse("[" + text + "]", nullptr, false);
      return numbers.is_discarded() ? Json(text) : numbers;
    }
    case KeyKind::kSources:
      return texts;
    default:
      return text;
  }
}

// What a flag's value is called in the help.
const char* value_name(const KeySpec& key) {
  static const std::map<std::string, const char*> kNames{{"model", "DIR"},
                                                         {"adapter", "DIR"},
                                                         {"data", "CATALOG"},
                                                         {"data_root", "DIR"},
                                                         {"out", "RUN"},
                                                         {"from", "RUN"},
                                                         {"verdicts", "FILE"},
                                                         {"template", "NAME"},
                                                         {"guard", "GUARD"},
                                                         {"validation", "RUN"},
                                                         {"ngrams", "RUN"},
                                                         {"input", "FILE"},
                                                         {"other_verdicts", "NAME=FILE"},
                                                         {"ask", "QUESTION=MODEL"},
                                                         {"centroids", "RUN"}};
  if (key.name == "out" && key.commands == std::vector{Command::kGuardFit}) return "FILE";
  if (const auto named = kNames.find(key.name); named != kNames.end()) return named->second;
  if (!key.choices.empty()) return "NAME";
  switch (key.kind) {
    case KeyKind::kInteger:
      return "N";
    case KeyKind::kNumber:
      return "X";
    case KeyKind::kStrings:
    case KeyKind::kNumbers:
    case KeyKind::kLayers:
      return "LIST";
    case KeyKind::kSources:
      return "FILE";
    case KeyKind::kArguments:
      return "KEY=VALUE";
    default:
      return "TEXT";
  }
}

std::string help_of(const KeySpec& key) {
  std::string help = key.help;
  if (!key.choices.empty()) help += ": " + join(key.choices, ", ");
  const Json& fallback = key.fallback;
  if (fallback.is_null() || fallback.empty() || fallback.is_boolean()) return help;
  if (fallback.is_array()) {
    const std::string list = to_line(fallback);
    return help + fmt::format(" [{}]", key.kind == KeyKind::kStrings
                                           ? join(fallback.get<std::vector<std::string>>(), ",")
                                           : list.substr(1, list.size() - 2));
  }
  return help + fmt::format(" [{}]", fallback.is_string() ? fallback.get<std::string>() : to_line(fallback));
}

// A key that is true or false: --key and --no-key. Only the one that changes the default shows in the help.
void add_switch(CLI::App& app, const KeySpec& key, std::vector<Override>& overrides) {
  const auto add = [&](const std::string& flag, bool value, const std::string& help) {
    const bool shown = key.fallback != value;
    app.add_flag_callback(
           flag,
           [&overrides, name = key.name, flag, value] {
             overrides.push_back({name, value, flag});
           },
           help)
        ->group(shown ? key.group : "");
  };
  add(key.flag(), true, key.help);
  add("--no-" + key.flag().substr(2), false, "do not " + key.help);
}

void add_option(CLI::App& app, const KeySpec& key, std::vector<Override>& overrides) {
  const bool repeatable = key.kind == KeyKind::kSources || key.kind == KeyKind::kArguments;
  const auto take = [&overrides, key](const std::vector<std::string>& texts) {
    Json value = key.kind == KeyKind::kArguments ? parse_arguments(key.flag(), texts) : value_of(key, texts);
    overrides.push_back({key.name, std::move(value), key.flag()});
  };
  auto* option = app.add_option_function<std::vector<std::string>>(key.flag(), take, help_of(key));
  option->group(key.group)->type_name(value_name(key))->expected(1)->allow_extra_args(false);
  option->multi_option_policy(repeatable ? CLI::MultiOptionPolicy::TakeAll
                                         : CLI::MultiOptionPolicy::TakeLast);
}

}  // namespace

void add_config_flag(CLI::App& app, const KeySpec& key, std::vector<Override>& overrides) {
  if (key.kind == KeyKind::kBoolean) {
    add_switch(app, key, overrides);
  } else {
    add_option(app, key, overrides);
  }
}

void add_config_flags(CLI::App& app, Command command, std::vector<Override>& overrides) {
  for (const KeySpec& key : keys_of(command)) {
    if (key.has_flag()) add_config_flag(app, key, overrides);
  }
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&overrides](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) overrides.push_back(parse_set(text));
         },
         "any config key: a.b=JSON, or a bare word as text (repeatable)")
      ->group("Run")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

}  // namespace hrt
