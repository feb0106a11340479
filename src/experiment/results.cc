#include "hrt/experiment/results.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <array>
#include <utility>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::array kQuadrants{"refused_harmful", "accepted_harmful", "refused_harmless",
                                "accepted_harmless"};

std::string rows_text(const std::vector<std::int64_t>& rows) { return to_line(Json(rows)); }

at::Tensor int_tensor(const std::vector<std::int64_t>& values) {
  return at::tensor(at::ArrayRef<std::int64_t>(values), at::kLong);
}

// Which prompts have a position, and how many of its tokens lie before each of them.
struct PositionLayout {
  std::vector<std::int64_t> index;
  std::vector<std::int64_t> offsets{0};
  bool complete(const PromptSet& set) const { return index.size() == set.prompts.size(); }
};

PositionLayout layout_of(const PromptSet& set, std::size_t position) {
  PositionLayout layout;
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const auto& range = set.prompts[i].positions[position];
    if (!range) continue;
    layout.index.push_back(static_cast<std::int64_t>(i));
    layout.offsets.push_back(layout.offsets.back() + range->size());
  }
  return layout;
}

// The small tensors that say which row belongs to which prompt.
std::vector<NamedTensor> side_tensors(const PromptSet& set) {
  std::vector<NamedTensor> tensors;
  for (std::size_t p = 0; p < set.specs.size(); ++p) {
    const PositionLayout layout = layout_of(set, p);
    if (set.specs[p].is_span())
      tensors.push_back({set.specs[p].name + ".offsets", int_tensor(layout.offsets)});
    if (!layout.complete(set)) tensors.push_back({set.specs[p].name + ".index", int_tensor(layout.index)});
  }
  return tensors;
}

Metadata metadata_of(const std::vector<std::int64_t>& rows) {
  return {{"rows", rows_text(rows)},
          {"row_convention", "row l < L: input of block l; row L: before the final norm"}};
}

at::Tensor mean_over_tokens(const at::Tensor& rows) {
  return rows.size(0) == 1 ? rows.select(0, 0) : rows.to(at::kDouble).mean(0);
}

std::string key_of(std::string_view set, const PositionSpec& spec) {
  return fmt::format("{}.{}", set, spec.name);
}

std::int64_t count_of(const std::map<std::string, Centroid>& centroids, const std::string& name) {
  const auto found = centroids.find(name);
  return found == centroids.end() ? 0 : found->second.count();
}

Direction difference(Direction direction, const std::map<std::string, Centroid>& centroids) {
  direction.plus_count = count_of(centroids, direction.plus);
  direction.minus_count = count_of(centroids, direction.minus);
  for (const auto& [name, count] :
       {std::pair{direction.plus, direction.plus_count}, std::pair{direction.minus, direction.minus_count}}) {
    if (count == 0) direction.absent = fmt::format("no prompt in {}", name);
  }
  if (direction.absent.empty()) {
    direction.value = centroids.at(direction.plus).mean() - centroids.at(direction.minus).mean();
  }
  return direction;
}

}  // namespace

std::optional<std::string> quadrant_name(Label label, Outcome outcome) {
  if (label == Label::kNone || outcome == Outcome::kUnknown) return std::nullopt;
  return fmt::format("{}_{}", outcome_name(outcome), label_name(label));
}

std::map<std::string, std::int64_t> quadrant_counts(const PromptSet& set,
                                                    const std::vector<Outcome>& outcomes) {
  std::map<std::string, std::int64_t> counts;
  for (const char* name : kQuadrants) counts[name] = 0;
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    if (const auto name = quadrant_name(set.prompts[i].record.label, outcomes[i])) ++counts[*name];
  }
  return counts;
}

void write_activations(const std::filesystem::path& file, const PromptSet& set, const Work& work,
                       const PromptWork& groups, at::ScalarType dtype, std::int64_t hidden,
                       std::int64_t vocabulary) {
  const auto rows = static_cast<std::int64_t>(work.rows.size());
  std::vector<SafetensorsWriter::Declaration> declarations;
  for (std::size_t p = 0; p < set.specs.size(); ++p) {
    declarations.push_back({set.specs[p].name, dtype, {layout_of(set, p).offsets.back(), rows, hidden}});
  }
  const auto prompts = static_cast<std::int64_t>(set.prompts.size());
  if (work.logits) declarations.push_back({"logits", at::kFloat, {prompts, vocabulary}});
  const std::vector<NamedTensor> side = side_tensors(set);
  for (const NamedTensor& tensor : side)
    declarations.push_back({tensor.name, at::kLong, tensor.tensor.sizes().vec()});

  SafetensorsWriter writer(file, declarations, metadata_of(work.rows));
  for (const PositionSpec& spec : set.specs) {
    for (std::size_t g = 0; g < groups.groups().size(); ++g) writer.append(groups.rows(g, spec));
  }
  for (std::size_t g = 0; work.logits && g < groups.groups().size(); ++g) writer.append(groups.logits(g));
  for (const NamedTensor& tensor : side) writer.append(tensor.tensor);
  writer.commit();
}

std::map<std::string, Centroid> compute_centroids(const PromptSet& set, const PromptWork& groups,
                                                  const std::vector<Outcome>& outcomes) {
  std::map<std::string, Centroid> centroids;
  for (std::size_t g = 0; g < groups.groups().size(); ++g) {
    for (std::size_t p = 0; p < set.specs.size(); ++p) {
      const at::Tensor rows = groups.rows(g, set.specs[p]);
      std::int64_t next = 0;
      for (auto i = static_cast<std::size_t>(groups.groups()[g].begin);
           i < static_cast<std::size_t>(groups.groups()[g].end); ++i) {
        const PreparedPrompt& prompt = set.prompts[i];
        if (!prompt.positions[p]) continue;
        const at::Tensor mean = mean_over_tokens(rows.narrow(0, next, prompt.positions[p]->size()));
        next += prompt.positions[p]->size();
        const Label label = prompt.record.label;
        if (label != Label::kNone) centroids[key_of(label_name(label), set.specs[p])].add(mean);
        if (const auto quadrant = quadrant_name(label, outcomes[i]))
          centroids[key_of(*quadrant, set.specs[p])].add(mean);
      }
    }
  }
  return centroids;
}

std::vector<Direction> compute_directions(const PromptSet& set,
                                          const std::map<std::string, Centroid>& centroids,
                                          const DirectionRequest& request) {
  std::vector<Direction> directions;
  const auto add = [&](const char* name, const char* plus, const char* minus, const char* position,
                       bool required) {
    Direction direction;
    direction.name = name;
    direction.plus = fmt::format("{}.{}", plus, position);
    direction.minus = fmt::format("{}.{}", minus, position);
    direction.required = required;
    directions.push_back(difference(std::move(direction), centroids));
  };
  if (!set.has(Label::kHarmful) || !set.has(Label::kHarmless)) return directions;
  if (set.position("t_inst")) {
    const bool outcome = request.pair_by_outcome;
    add("harmfulness", outcome ? "refused_harmful" : "harmful", outcome ? "accepted_harmless" : "harmless",
        "t_inst", true);
  }
  if (set.position("t_post_inst") && request.outcomes) {
    add("refusal", "refused_harmful", "accepted_harmless", "t_post_inst", true);
    add("refusal_harmless", "refused_harmless", "accepted_harmless", "t_post_inst", false);
  }
  return directions;
}

void write_centroids(const std::filesystem::path& file, const std::map<std::string, Centroid>& centroids,
                     const std::vector<std::int64_t>& rows) {
  Metadata metadata = metadata_of(rows);
  std::vector<NamedTensor> tensors;
  for (const auto& [name, centroid] : centroids) {
    tensors.push_back({name, centroid.mean().to(at::kFloat)});
    metadata["count." + name] = fmt::format("{}", centroid.count());
  }
  write_safetensors(file, tensors, metadata);
}

void write_directions(const std::filesystem::path& file, const std::vector<Direction>& directions,
                      const std::vector<std::int64_t>& rows) {
  Metadata metadata = metadata_of(rows);
  std::vector<NamedTensor> tensors;
  for (const Direction& direction : directions) {
    if (!direction.absent.empty()) {
      metadata["absent." + direction.name] = direction.absent;
      continue;
    }
    metadata["definition." + direction.name] =
        fmt::format("{} (n={}) - {} (n={})", direction.plus, direction.plus_count, direction.minus,
                    direction.minus_count);
    tensors.push_back({direction.name, direction.value.to(at::kFloat)});
  }
  write_safetensors(file, tensors, metadata);
}

}  // namespace hrt
