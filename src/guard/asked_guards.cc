#include "asked_guards.h"

#include <array>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/log.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/data/inversion.h"
#include "hrt/experiment/config.h"
#include "hrt/steer/steer.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRequests = "asked.jsonl";

// What asking has in common with the command that asks; the template is the asked model's own.
constexpr std::array kCommon{"data",   "data_root",  "strict_config", "full_hash", "dtype",
                             "device", "batch_size", "threads",       "seed",      "verify"};

Json config_of(const Json& config, const std::string& question, const std::string& model) {
  Json asking = Json::object();
  for (const KeySpec& key : keys_of(Command::kSteer)) asking[key.name] = key.fallback;
  for (const char* key : kCommon) asking[key] = config.at(key);
  asking.update({{"task", "inversion"}, {"question", question}, {"model", model}});
  asking["stop_when_decided"] = true;
  return asking;
}

std::string name_of(const std::string& question) {
  return is_question_file(question) ? fs::path(question).stem().string() : question;
}

void write_requests(const fs::path& file, const std::vector<ProbePrompt>& prompts) {
  std::string lines;
  for (const ProbePrompt& prompt : prompts) {
    if (prompt.request.empty())
      throw InputError("/ask: prompt {} has no text to ask about", escape_for_terminal(prompt.id));
    Json line{{"id", prompt.id}, {"instruction", prompt.request}};
    if (prompt.label != Label::kNone) line["label"] = label_name(prompt.label);
    lines += to_line(line) + "\n";
  }
  write_file(file, lines);
}

}  // namespace

AskedGuards::AskedGuards(const Json& config) {
  for (const auto& [question, model] : config.at("ask").items()) {
    Inversion::load(question, data_dir());
    guards_.push_back({name_of(question), config_of(config, question, model)});
    resolve_model(guards_.back().config);
  }
}

std::vector<std::string> AskedGuards::names() const {
  std::vector<std::string> names;
  for (const Asked& guard : guards_) names.push_back(guard.name);
  return names;
}

std::vector<std::string> AskedGuards::files() const {
  std::vector<std::string> files = names();
  if (!files.empty()) files.emplace_back(kRequests);
  return files;
}

std::vector<std::pair<std::string, fs::path>> AskedGuards::ask(
    const fs::path& folder, const std::vector<ProbePrompt>& prompts) const {
  std::vector<std::pair<std::string, fs::path>> runs;
  if (guards_.empty()) return runs;
  const fs::path requests = folder / kRequests;
  write_requests(requests, prompts);
  for (const Asked& guard : guards_) {
    Json config = guard.config;
    config["prompts"] = {requests.string()};
    RunOptions options;
    options.if_exists = IfExists::kResume;
    options.print = false;
    options.out = folder / guard.name;
    spdlog::info("{} is asked, in {}", guard.name, options.out->string());
    run_steer(std::move(config), options);
    runs.emplace_back(guard.name, *options.out);
  }
  return runs;
}

}  // namespace hrt
