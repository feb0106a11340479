#include "hrt/steer/select_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "hrt/base/csv.h"
#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/output.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::uint64_t kLargestFile = 100'000'000;
constexpr std::size_t kPrinted = 10;

// Python's json writes what is not a number as a bare NaN, which is no JSON: null in its place.
std::string without_nan(const std::string& text) {
  constexpr std::string_view kNan = "NaN";
  std::string result;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!in_string && text.compare(i, kNan.size(), kNan) == 0) {
      result += "null";
      i += kNan.size() - 1;
      continue;
    }
    result += text[i];
    if (text[i] == '"') in_string = !in_string;
    if (in_string && text[i] == '\\' && i + 1 < text.size()) result += text[++i];
  }
  return result;
}

DirectionCandidate candidate_of(const JsonObject& entry, std::int64_t layers) {
  const auto score = [&](const char* key) {
    return entry.has(key) ? entry.number(key) : std::numeric_limits<double>::quiet_NaN();
  };
  DirectionCandidate candidate{entry.integer("position"), entry.integer("layer"), score("refusal_score"),
                               score("steering_score"), score("kl_div_score")};
  if (candidate.layer < 0 || candidate.layer >= layers) {
    throw InputError("{} must lie in 0..{}, found {}", entry.where("layer"), layers - 1, candidate.layer);
  }
  return candidate;
}

Json number_json(double value) { return std::isnan(value) ? Json() : Json(value); }

Json candidate_json(const DirectionCandidate& candidate) {
  return {{"position", candidate.position},
          {"layer", candidate.layer},
          {"refusal_score", number_json(candidate.refusal_score)},
          {"steering_score", number_json(candidate.induced_score)},
          {"kl_div_score", number_json(candidate.kl)}};
}

// The rules in the order in which they are applied, as results.json spells them.
std::array<std::pair<const char*, std::int64_t>, 4> counts_of(const RemovedCandidates& removed) {
  return {{{"not_a_number", removed.not_a_number},
           {"late_layer", removed.late_layer},
           {"kl", removed.kl},
           {"induced_score", removed.induced_score}}};
}

// A score that is not a number is not there.
std::optional<double> score_field(double score) {
  return std::isnan(score) ? std::nullopt : std::optional(score);
}

}  // namespace

ScoredCandidates read_scores(const std::filesystem::path& file) {
  const Json content = parse_json(without_nan(read_file(file, kLargestFile)), file.string());
  const JsonObject top(content, file.string());
  ScoredCandidates scored{top.integer("layers"), {}};
  if (scored.layers < 1) throw InputError("{} must be at least 1", top.where("layers"));
  const Json* entries = top.find("candidates");
  if (entries == nullptr || !entries->is_array())
    throw InputError("{} must be a list", top.where("candidates"));
  for (std::size_t i = 0; i < entries->size(); ++i) {
    const JsonObject entry((*entries)[i], file.string(), fmt::format("/candidates/{}", i));
    scored.candidates.push_back(candidate_of(entry, scored.layers));
  }
  return scored;
}

SelectResults::SelectResults(ScoredCandidates scored, const SelectionRules& rules, std::int64_t late)
    : scored_(std::move(scored)),
      rules_(rules),
      selection_(select_direction(scored_.candidates, scored_.layers, rules)) {
  selection_.removed.late_layer += late;
}

std::string SelectResults::removed_by(const DirectionCandidate& candidate) const {
  const DirectionSelection alone = select_direction({candidate}, scored_.layers, rules_);
  for (const auto& [rule, count] : counts_of(alone.removed)) {
    if (count > 0) return rule;
  }
  return "";
}

std::string SelectResults::removal() const {
  const RemovedCandidates& removed = selection_.removed;
  const std::int64_t all = removed.not_a_number + removed.late_layer + removed.kl + removed.induced_score +
                           std::ssize(surviving());
  std::vector<std::string> reasons;
  const auto add = [&](std::int64_t count, const std::string& reason) {
    if (count > 0) reasons.push_back(fmt::format("{} {}", count, reason));
  };
  add(removed.not_a_number, "have a score that is not a number");
  add(removed.late_layer,
      fmt::format("lie in the last layers (from {:g} of the depth on)", rules_.layer_share));
  add(removed.kl, fmt::format("change harmless prompts (KL above {:g})", rules_.max_kl));
  add(removed.induced_score, fmt::format("induce no refusal (score below {:g})", rules_.min_induced_score));
  return fmt::format("of {} candidates {}", all, reasons.empty() ? "none was removed" : join(reasons, ", "));
}

Json SelectResults::to_json() const {
  Json json{{"layers", scored_.layers}, {"chosen", nullptr}};
  if (const auto best = chosen()) json["chosen"] = {{"position", best->position}, {"layer", best->layer}};
  json["rules"] = {{"layer_share", rules_.layer_share},
                   {"max_kl", rules_.max_kl},
                   {"min_induced_score", rules_.min_induced_score}};
  for (const auto& [rule, count] : counts_of(selection_.removed)) json["removed"][rule] = count;
  json["candidates"] = Json::array();
  for (const DirectionCandidate& candidate : candidates()) {
    json["candidates"].push_back(candidate_json(candidate));
    const std::string rule = removed_by(candidate);
    json["candidates"].back()["removed_by"] = rule.empty() ? Json() : Json(rule);
  }
  json["surviving"] = Json::array();
  for (const DirectionCandidate& candidate : surviving())
    json["surviving"].push_back(candidate_json(candidate));
  return json;
}

std::string SelectResults::to_csv() const {
  Csv csv({"position", "layer", "refusal_score", "steering_score", "kl_div_score", "removed_by"});
  for (const DirectionCandidate& candidate : candidates()) {
    csv.row({candidate.position, candidate.layer, score_field(candidate.refusal_score),
             score_field(candidate.induced_score), score_field(candidate.kl), removed_by(candidate)});
  }
  return csv.text();
}

void SelectResults::print() const {
  print_out("\n{} left: {}\n", surviving().size(), removal());
  if (surviving().empty()) return;
  print_out("\n  position  layer   refusal, ablated   refusal, added       KL\n");
  for (std::size_t i = 0; i < std::min(kPrinted, surviving().size()); ++i) {
    const DirectionCandidate& candidate = surviving()[i];
    print_out("  {:>8} {:>6} {:>18.3f} {:>16.3f} {:>8.4f}{}\n", candidate.position, candidate.layer,
              candidate.refusal_score, candidate.induced_score, candidate.kl, i == 0 ? "  chosen" : "");
  }
}

}  // namespace hrt
