#pragma once

#include "hrt/probe/source.h"
#include "prompt_choice.h"
#include "run_pool.h"

namespace hrt {

// Prompts and rows out of complete extractions.
class RunSource : public ProbeSource {
 public:
  // `config`: keys `runs`, `centroids`, `harmful`, `harmless`, `prompts` and `allow_overlap`.
  explicit RunSource(const Json& config);

  const std::vector<ProbePrompt>& prompts() const override { return scored_prompts_; }
  const std::vector<std::int64_t>& rows() const override { return pool_.rows(); }
  std::vector<std::string> positions() const override { return pool_.positions(); }
  PositionRows rows_at(const std::string& position) const override;
  std::vector<RowScores> scores(const std::string& position, const Clusters& clusters) const override;
  bool has_centroid(const std::string& set, const std::string& position) const override;
  std::optional<ProbeCentroid> centroid(const std::string& set, const std::string& position) const override;
  std::vector<ProbePrompt> centroid_prompts() const override;
  PositionRows centroid_rows_at(const std::string& position, SpanValue value) const override;
  std::map<std::string, at::Tensor> category_directions(const std::string&) const override { return {}; }
  Json describe() const override;

 private:
  PositionRows rows_of(const std::string& position, bool PromptUse::*use, SpanValue value) const;
  bool is_member(std::size_t prompt, const std::string& set) const;

  RunPool pool_;
  std::vector<PromptUse> uses_;      // by prompt of the pool
  std::vector<std::size_t> scored_;  // numbers of the scored prompts in the pool
  std::vector<ProbePrompt> scored_prompts_;
  std::string overlap_;  // that was allowed
};

}  // namespace hrt
