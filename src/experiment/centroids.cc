#include "hrt/experiment/centroids.h"

#include <fmt/format.h>

#include <set>

namespace hrt {
namespace {

bool is_harmful_of_category(const PromptRecord& record) {
  return record.label == Label::kHarmful && !record.category.empty();
}

}  // namespace

std::optional<std::string> quadrant_name(Label label, Outcome outcome) {
  if (label == Label::kNone || outcome == Outcome::kUnknown) return std::nullopt;
  return fmt::format("{}_{}", outcome_name(outcome), label_name(label));
}

Memberships memberships_of(const PromptSet& set, const std::vector<Outcome>& outcomes, bool by_category) {
  Memberships memberships;
  for (std::size_t i = 0; i < set.prompts.size(); ++i) {
    const PromptRecord& record = set.prompts[i].record;
    std::vector<std::string>& names = memberships.emplace_back();
    if (record.label != Label::kNone) names.emplace_back(label_name(record.label));
    if (const auto quadrant = quadrant_name(record.label, outcomes[i])) names.push_back(*quadrant);
    if (!by_category || !is_harmful_of_category(record)) continue;
    for (std::size_t n = names.size(); n > 0; --n) {
      names.push_back(fmt::format("{}:{}", names[n - 1], record.category));
    }
  }
  return memberships;
}

std::vector<std::string> harmful_categories(const PromptSet& set) {
  std::set<std::string> names;
  for (const PreparedPrompt& prompt : set.prompts) {
    if (is_harmful_of_category(prompt.record)) names.insert(prompt.record.category);
  }
  return {names.begin(), names.end()};
}

std::string centroid_name(const std::string& set, const std::string& position) {
  return fmt::format("{}.{}", set, position);
}

at::Tensor rows_of_prompt(const at::Tensor& tokens) {
  return tokens.size(0) == 1 ? tokens.select(0, 0) : tokens.to(at::kDouble).mean(0);
}

std::map<std::string, Centroid> compute_centroids(const PromptSet& set, const Memberships& memberships,
                                                  const CapturedRows& captured) {
  std::map<std::string, Centroid> centroids;
  for (std::size_t p = 0; p < set.specs.size(); ++p) {
    captured.each(p, [&](std::size_t prompt, const at::Tensor& tokens) {
      const at::Tensor rows = rows_of_prompt(tokens);
      for (const std::string& name : memberships[prompt])
        centroids[centroid_name(name, set.specs[p].name)].add(rows);
    });
  }
  return centroids;
}

void write_centroids(const std::filesystem::path& file, const std::map<std::string, Centroid>& centroids,
                     const std::vector<std::int64_t>& rows) {
  Metadata metadata = row_metadata(rows);
  std::vector<NamedTensor> tensors;
  for (const auto& [name, centroid] : centroids) {
    tensors.push_back({name, centroid.mean().to(at::kFloat)});
    metadata["count." + name] = fmt::format("{}", centroid.count());
  }
  write_safetensors(file, tensors, metadata);
}

}  // namespace hrt
