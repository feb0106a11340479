#include "hrt/experiment/prompt_counts.h"

#include "hrt/experiment/centroids.h"

namespace hrt {
namespace {

constexpr std::array kLabels{Label::kHarmful, Label::kHarmless, Label::kNone};
constexpr std::array kOutcomes{Outcome::kRefused, Outcome::kAccepted, Outcome::kUnknown};

}  // namespace

PromptCounts::PromptCounts(const PromptSet& set, const std::vector<Outcome>& outcomes) {
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    ++by_[index(set.prompts[i].record.label)][index(outcomes[i])];
  }
}

std::int64_t PromptCounts::of(Label label) const {
  std::int64_t count = 0;
  for (const Outcome outcome : kOutcomes) count += of(label, outcome);
  return count;
}

std::int64_t PromptCounts::of(Outcome outcome) const {
  std::int64_t count = 0;
  for (const Label label : kLabels) count += of(label, outcome);
  return count;
}

std::int64_t PromptCounts::all() const {
  std::int64_t count = 0;
  for (const Label label : kLabels) count += of(label);
  return count;
}

Json PromptCounts::to_json() const {
  Json json{{"prompts", all()}};
  if (!any_label()) return json;
  Json quadrants = Json::object();
  for (const Label label : {Label::kHarmful, Label::kHarmless}) {
    json["labels"][std::string(label_name(label))] = of(label);
    for (const Outcome outcome : {Outcome::kRefused, Outcome::kAccepted}) {
      if (any_outcome()) quadrants[*quadrant_name(label, outcome)] = of(label, outcome);
    }
  }
  json["labels"]["none"] = of(Label::kNone);
  if (!quadrants.empty()) json["quadrants"] = quadrants;
  return json;
}

}  // namespace hrt
