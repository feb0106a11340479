#include "guard_runs.h"

#include <algorithm>
#include <unordered_set>

#include "hrt/base/error.h"
#include "hrt/base/hash.h"
#include "hrt/base/log.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

std::int64_t hidden_of(const StoredRun& run) {
  return JsonObject(run.manifest(), run.file("manifest.json").string()).object("model").integer("hidden");
}

}  // namespace

std::unique_ptr<ProbeSource> open_prompts(const std::vector<std::string>& runs, const Json& chosen) {
  return open_source({{"runs", runs},
                      {"centroids", nullptr},
                      {"tensors", nullptr},
                      {"harmful", Json::array()},
                      {"harmless", Json::array()},
                      {"prompts", chosen},
                      {"allow_overlap", true}});
}

void check_model(const Guard& guard, std::int64_t hidden, const std::string& fingerprint,
                 const std::string& where) {
  if (hidden != guard.hidden())
    throw InputError("{}: the guard is for a model of width {}, this one has {}", where, guard.hidden(),
                     hidden);
  if (fingerprint != guard.model) {
    throw InputError("{}: the guard was fitted to another model (fingerprint {}, here {})", where,
                     guard.model.substr(0, 12), fingerprint.substr(0, 12));
  }
}

void check_template(const Guard& guard, const std::string& name, const Json& content,
                    const std::string& where) {
  if (name == guard.template_name()) {
    if (content == guard.text.value("template_content", Json())) return;
    throw InputError("{}: the guard was fitted with another template file of the name {}", where, name);
  }
  throw InputError("{}: the guard was fitted with template {}, this is {}", where, guard.template_name(),
                   name);
}

void check_fits(const Guard& guard, const StoredRun& run) {
  check_model(guard, hidden_of(run), run.model_fingerprint(), run.path().string());
  const Json text = text_of(run);
  check_template(guard, run.template_name(), text.value("template_content", Json()), run.path().string());
  for (const char* key : kTextKeys) {
    if (text.at(key) == guard.text.at(key)) continue;
    spdlog::warn("warning: {}: {} is {}, the guard was fitted with {}", run.path().string(), key,
                 to_line(text.at(key)), to_line(guard.text.at(key)));
  }
}

Json text_of(const StoredRun& run) {
  Json text{{"template", run.template_name()}};
  const Json content = run.manifest().value("template", Json::object()).value("content", Json());
  if (!content.is_null()) text["template_content"] = content;
  for (const char* key : kTextKeys) text[key] = run.config().at(key);
  return text;
}

std::vector<std::int64_t> places_of_rows(const Guard& guard, const std::vector<std::int64_t>& rows) {
  std::vector<std::int64_t> places;
  for (const std::int64_t row : guard.rows) {
    const auto found = std::ranges::find(rows, row);
    if (found == rows.end()) throw InputError("the guard uses row {}, which the runs do not hold", row);
    places.push_back(found - rows.begin());
  }
  return places;
}

std::string request_hash(const ProbePrompt& prompt) {
  const std::string request =
      prompt.request.empty() ? to_line(prompt.fields.value("tokens", Json())) : prompt.request;
  return sha256_of(request).substr(0, 16);
}

std::string describe_overlap(const Guard& guard, const std::vector<ProbePrompt>& prompts) {
  const std::unordered_set<std::string> training(guard.training.begin(), guard.training.end());
  std::size_t count = 0;
  std::string example;
  for (const ProbePrompt& prompt : prompts) {
    if (training.contains(request_hash(prompt)) && count++ == 0) example = prompt.id;
  }
  if (count == 0) return "";
  return fmt::format("the guard was fitted to {} of these prompts (such as {})", count,
                     escape_for_terminal(example));
}

void check_overlap(const Guard& guard, const std::vector<ProbePrompt>& prompts, bool allowed) {
  const std::string overlap = describe_overlap(guard, prompts);
  if (overlap.empty()) return;
  if (!allowed)
    throw InputError(
        "{}: that proves nothing; give another RUN, or roles in /prompts (--config) that are not among them "
        "(--allow-overlap takes them all the same)",
        overlap);
  spdlog::warn("warning: {}", overlap);
}

}  // namespace hrt
