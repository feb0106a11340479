#include "hrt/experiment/extract_directions.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hrt/experiment/interval_json.h"

namespace hrt {
namespace {

const Centroid* find(const std::map<std::string, Centroid>& centroids, const std::string& name) {
  const auto found = centroids.find(name);
  return found == centroids.end() ? nullptr : &found->second;
}

void subtract(Direction& direction, const std::map<std::string, Centroid>& centroids) {
  const Centroid* plus = find(centroids, direction.plus_name());
  const Centroid* minus = find(centroids, direction.minus_name());
  if (plus != nullptr) direction.plus_count = plus->count();
  if (minus != nullptr) direction.minus_count = minus->count();
  if (plus != nullptr && minus != nullptr) {
    direction.value = plus->mean() - minus->mean();
  } else {
    direction.absent =
        fmt::format("no prompt in {}", minus == nullptr ? direction.minus_name() : direction.plus_name());
  }
}

// Definitions alone.
std::vector<Direction> definitions(const PromptSet& set, const DirectionRequest& request) {
  std::vector<Direction> directions;
  const auto add = [&](std::string name, std::string plus, std::string minus, const char* position,
                       bool required = false) {
    directions.push_back({std::move(name), std::move(plus), std::move(minus), position, required});
  };
  const auto categories = request.by_category ? harmful_categories(set) : std::vector<std::string>{};
  const bool outcome = request.pair_by_outcome;
  add("harmfulness", outcome ? "refused_harmful" : "harmful", outcome ? "accepted_harmless" : "harmless",
      "t_inst", true);
  for (const std::string& category : categories)
    add("harmfulness:" + category, "harmful:" + category, "harmless", "t_inst");
  add("refusal", "refused_harmful", "accepted_harmless", "t_post_inst", true);
  add("refusal_harmless", "refused_harmless", "accepted_harmless", "t_post_inst");
  for (const std::string& category : categories)
    add("refusal:" + category, "refused_harmful:" + category, "accepted_harmless", "t_post_inst");
  return directions;
}

// Why a direction is not asked for; empty when it is.
std::string why_not_asked(const Direction& direction, const PromptSet& set, const DirectionRequest& request) {
  for (const Label label : {Label::kHarmful, Label::kHarmless}) {
    if (!set.has(label)) return fmt::format("no prompt is labelled {}", label_name(label));
  }
  if (!set.position(direction.position)) return fmt::format("not asked for: position {}", direction.position);
  return direction.position == "t_post_inst" ? request.no_refusal : "";
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::string Direction::definition() const {
  return fmt::format("{} (n={}) - {} (n={})", plus_name(), plus_count, minus_name(), minus_count);
}

std::vector<Direction> compute_directions(const PromptSet& set,
                                          const std::map<std::string, Centroid>& centroids,
                                          const DirectionRequest& request) {
  std::vector<Direction> directions = definitions(set, request);
  for (Direction& direction : directions) {
    direction.absent = why_not_asked(direction, set, request);
    direction.asked = direction.absent.empty();
    if (direction.asked) subtract(direction, centroids);
  }
  return directions;
}

void measure_agreement(std::vector<Direction>& directions, const PromptSet& set,
                       const Memberships& memberships, const std::map<std::string, Centroid>& centroids,
                       const CapturedRows& captured) {
  for (std::size_t p = 0; p < set.specs.size(); ++p) {
    std::vector<std::pair<Direction*, DifferenceAgreement>> here;
    for (Direction& d : directions) {
      if (!d.is_there() || d.position != set.specs[p].name) continue;
      here.emplace_back(
          &d, DifferenceAgreement(centroids.at(d.plus_name()).mean(), centroids.at(d.minus_name()).mean()));
    }
    if (here.empty()) continue;
    captured.each(p, [&](std::size_t prompt, const at::Tensor& tokens) {
      for (auto& [direction, agreement] : here) {
        const bool plus = contains(memberships[prompt], direction->plus);
        const bool minus = contains(memberships[prompt], direction->minus);
        agreement.add(plus ? Side::kPlus : minus ? Side::kMinus : Side::kNeither, rows_of_prompt(tokens));
      }
    });
    for (auto& [direction, agreement] : here) direction->agreement = agreement.by_row();
  }
}

void write_directions(const std::filesystem::path& file, const std::vector<Direction>& directions,
                      const std::vector<std::int64_t>& rows) {
  Metadata metadata = row_metadata(rows);
  std::vector<NamedTensor> tensors;
  for (const Direction& direction : directions) {
    if (!direction.is_there()) {
      metadata["absent." + direction.name] = direction.absent;
      continue;
    }
    metadata["definition." + direction.name] = direction.definition();
    metadata["agreement." + direction.name] = to_line(scores_json(direction.agreement));
    tensors.push_back({direction.name, direction.value.to(at::kFloat)});
  }
  write_safetensors(file, tensors, metadata);
}

}  // namespace hrt
