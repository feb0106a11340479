#include "clusters.h"

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

template <typename Value>
TwoKinds two_kinds(const std::vector<ProbePrompt>& prompts, Value ProbePrompt::*field, Value positive,
                   Value negative) {
  TwoKinds kinds;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    if (prompts[i].*field == positive) kinds.positive.push_back(i);
    if (prompts[i].*field == negative) kinds.negative.push_back(i);
  }
  return kinds;
}

}  // namespace

Clusters clusters_of(const Json& config) {
  return config.at("clusters") == "label" ? kLabelClusters : kOutcomeClusters;
}

void require_clusters(const ProbeSource& source, const std::string& position, const Clusters& clusters) {
  for (const std::string& set : {clusters.plus, clusters.minus}) {
    if (source.has_centroid(set, position)) continue;
    throw InputError(
        "no centroid {}.{}: none of the prompts that make the centroids is {} and has this position", set,
        position, set);
  }
}

std::vector<std::string> positions_there(const ProbeSource& source, const std::vector<std::string>& asked) {
  std::vector<std::string> positions;
  for (const std::string& position : asked) {
    if (source.has(position)) positions.push_back(position);
  }
  if (positions.empty()) throw InputError("no rows at {}", join(asked, ", "));
  return positions;
}

std::vector<double> at_row(const std::vector<RowScores>& scores, const std::vector<std::size_t>& prompts,
                           std::size_t row) {
  std::vector<double> values;
  for (const std::size_t prompt : prompts) {
    if (scores[prompt][row]) values.push_back(*scores[prompt][row]);
  }
  return values;
}

Proportion above_0(const std::vector<double>& values) {
  Proportion share;
  for (const double value : values) share.add(value > 0);
  return share;
}

TwoKinds by_label(const std::vector<ProbePrompt>& prompts) {
  return two_kinds(prompts, &ProbePrompt::label, Label::kHarmful, Label::kHarmless);
}

TwoKinds by_outcome(const std::vector<ProbePrompt>& prompts) {
  return two_kinds(prompts, &ProbePrompt::outcome, Outcome::kRefused, Outcome::kAccepted);
}

}  // namespace hrt
