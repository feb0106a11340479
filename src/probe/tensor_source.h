#pragma once

#include <filesystem>

#include "hrt/probe/source.h"

namespace hrt {

// Activations, centroids and directions out of tensor files of others, as the key `tensors` maps them
// (docs/formats.md). Centroids come as they are: which prompts made them, and whether the scored ones are
// among them, cannot be known.
class TensorSource : public ProbeSource {
 public:
  // `config`: keys `tensors` and `data_root`, the folder of relative paths. Throws InputError: an unknown
  // key, a missing file, shapes that do not fit together, NaN or infinity.
  explicit TensorSource(const Json& config);

  const std::vector<ProbePrompt>& prompts() const override { return prompts_; }
  const std::vector<std::int64_t>& rows() const override { return rows_; }
  std::vector<std::string> positions() const override;
  PositionRows rows_at(const std::string& position) const override;
  std::vector<RowScores> scores(const std::string& position, const Clusters& clusters) const override;
  bool has_centroid(const std::string& set, const std::string& position) const override {
    return centroids_.contains(set + "." + position);
  }
  std::optional<ProbeCentroid> centroid(const std::string& set, const std::string& position) const override;
  std::vector<ProbePrompt> centroid_prompts() const override { return {}; }
  PositionRows centroid_rows_at(const std::string&, SpanValue) const override { return {}; }
  std::map<std::string, at::Tensor> category_directions(const std::string& kind) const override;
  Json describe() const override { return description_; }

 private:
  at::Tensor read(const std::string& name, const std::string& where);
  void read_directions(const JsonObject& directions);
  void read_prompts(const JsonObject& entry);
  void check_same_token(const JsonObject& entry, const std::vector<std::string>& axes);
  void take_rows(std::int64_t count, const std::string& where);

  std::filesystem::path root_;
  std::vector<ProbePrompt> prompts_;
  std::vector<std::int64_t> rows_;
  std::map<std::string, PositionRows> positions_;
  std::map<std::string, at::Tensor> centroids_;                          // by SET.POSITION
  std::map<std::string, std::map<std::string, at::Tensor>> directions_;  // by kind and category
  Json description_;
};

}  // namespace hrt
