#include "run_source.h"

#include <algorithm>
#include <set>

#include "hrt/analysis/directions.h"
#include "hrt/analysis/scores.h"
#include "hrt/base/error.h"
#include "hrt/experiment/centroids.h"
#include "hrt/experiment/config.h"
#include "overlap.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> paths_of(const Json& config) {
  const auto runs = config.at("runs").get<std::vector<std::string>>();
  std::vector<fs::path> paths(runs.begin(), runs.end());
  if (const auto own = optional_value<std::string>(config, "centroids")) paths.emplace_back(*own);
  return paths;
}

std::vector<bool> from_centroid_run(const Json& config, const RunPool& pool) {
  std::vector<bool> from(pool.prompts().size(), false);
  if (config.at("centroids").is_null()) return from;
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = pool.run_of(i) + 1 == pool.run_count();
  return from;
}

}  // namespace

RunSource::RunSource(const Json& config) : pool_(paths_of(config)) {
  uses_ = choose_prompts(config, pool_.prompts(), from_centroid_run(config, pool_));
  overlap_ = describe_overlap(pool_.prompts(), uses_);
  if (!overlap_.empty() && !config.at("allow_overlap").get<bool>())
    throw InputError("{}: scores of such prompts prove nothing (--allow-overlap takes them)", overlap_);
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    if (!uses_[i].scored) continue;
    scored_.push_back(i);
    scored_prompts_.push_back(pool_.prompts()[i]);
  }
}

// Indices count the prompts of this use, not those of the pool.
PositionRows RunSource::rows_of(const std::string& position, bool PromptUse::*use, SpanValue value) const {
  std::vector<bool> wanted;
  std::vector<std::size_t> places;  // by prompt of the pool
  std::size_t count = 0;
  for (const PromptUse& u : uses_) {
    wanted.push_back(u.*use);
    places.push_back(count);
    count += u.*use;
  }
  PositionRows result = pool_.rows_at(position, wanted, value);
  for (std::size_t& prompt : result.prompts) prompt = places[prompt];
  return result;
}

PositionRows RunSource::rows_at(const std::string& position) const {
  return rows_of(position, &PromptUse::scored, SpanValue::kMean);
}

std::vector<ProbePrompt> RunSource::centroid_prompts() const {
  std::vector<ProbePrompt> prompts;
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    if (uses_[i].centroid) prompts.push_back(pool_.prompts()[i]);
  }
  return prompts;
}

PositionRows RunSource::centroid_rows_at(const std::string& position, SpanValue value) const {
  return rows_of(position, &PromptUse::centroid, value);
}

bool RunSource::is_member(std::size_t prompt, const std::string& set) const {
  const ProbePrompt& p = pool_.prompts()[prompt];
  return uses_[prompt].centroid && (label_name(p.label) == set || quadrant_name(p.label, p.outcome) == set);
}

std::vector<RowScores> RunSource::scores(const std::string& position, const Clusters& clusters) const {
  std::vector<bool> wanted;
  for (std::size_t i = 0; i < uses_.size(); ++i)
    wanted.push_back(uses_[i].scored || is_member(i, clusters.plus) || is_member(i, clusters.minus));
  const PositionRows all = pool_.rows_at(position, wanted);
  std::vector<Side> sides;
  for (const std::size_t prompt : all.prompts) {
    sides.push_back(is_member(prompt, clusters.plus)    ? Side::kPlus
                    : is_member(prompt, clusters.minus) ? Side::kMinus
                                                        : Side::kNeither);
  }
  const std::vector<RowScores> of_all = leave_one_out_scores(all.rows, sides);
  std::vector<RowScores> scores(scored_.size(), RowScores(rows().size()));
  for (std::size_t i = 0; i < all.prompts.size(); ++i) {
    const auto scored = std::ranges::lower_bound(scored_, all.prompts[i]);
    if (scored != scored_.end() && *scored == all.prompts[i])
      scores[static_cast<std::size_t>(scored - scored_.begin())] = of_all[i];
  }
  return scores;
}

bool RunSource::has_centroid(const std::string& set, const std::string& position) const {
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    if (is_member(i, set) && pool_.has(i, position)) return true;
  }
  return false;
}

std::optional<ProbeCentroid> RunSource::centroid(const std::string& set, const std::string& position) const {
  std::vector<bool> wanted;
  for (std::size_t i = 0; i < uses_.size(); ++i) wanted.push_back(is_member(i, set));
  const PositionRows members = pool_.rows_at(position, wanted);
  if (members.prompts.empty()) return std::nullopt;
  return ProbeCentroid{centroid_of(members.rows).mean(), static_cast<std::int64_t>(members.prompts.size())};
}

Json RunSource::describe() const {
  const bool disjoint =
      std::ranges::none_of(uses_, [](const PromptUse& u) { return u.scored && u.centroid; });
  Json runs = Json::array();
  for (std::size_t i = 0; i < pool_.run_count(); ++i) runs.push_back(pool_.run(i).path().string());
  Json counts = Json::object();
  for (const char* set : {"harmful", "harmless", "refused_harmful", "accepted_harmful", "refused_harmless",
                          "accepted_harmless"}) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < uses_.size(); ++i) count += is_member(i, set);
    counts[set] = count;
  }
  Json description{{"runs", runs},
                   {"scored", scored_.size()},
                   {"centroid_prompts", counts},
                   {"held_out", disjoint ? "split" : "leave_one_out"}};
  if (!overlap_.empty()) description["overlap"] = overlap_;
  return description;
}

}  // namespace hrt
