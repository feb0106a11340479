#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hrt/analysis/row_scores.h"
#include "hrt/base/json.h"
#include "hrt/data/outcome.h"

namespace hrt {

// A prompt as it was run: what it is, and what the model did.
struct ProbePrompt {
  std::string id;
  Label label = Label::kNone;
  Outcome outcome = Outcome::kUnknown;
  std::string request;  // the user's text; empty where it is not known
  Json fields;          // its line of prompts.jsonl, or what a config says of it
};

// The two sets of prompts whose centroids a score compares: labels or quadrants, "harmful" and "harmless".
struct Clusters {
  std::string plus;
  std::string minus;

  std::string name() const { return plus + " - " + minus; }
};
inline const Clusters kLabelClusters{"harmful", "harmless"};                     // eq. 3
inline const Clusters kOutcomeClusters{"refused_harmful", "accepted_harmless"};  // eqs. 2 and 4

// Rows of those prompts that have a position.
struct PositionRows {
  std::vector<std::size_t> prompts;  // their indices, ascending
  at::Tensor rows;                   // [prompts, rows, hidden]; of a span its mean, if not asked otherwise
};

// What is taken of a span of tokens, by row and component.
enum class SpanValue { kMean, kMaximum };

// A mean of activations and how many went into it.
struct ProbeCentroid {
  at::Tensor mean;         // [rows, hidden] float64
  std::int64_t count = 0;  // 0: not known
};

// What probes look at: scored prompts, their rows at named positions, and the centroids that they are scored
// against, which never contain the scored prompt itself.
class ProbeSource {
 public:
  virtual ~ProbeSource() = default;

  // The scored prompts.
  virtual const std::vector<ProbePrompt>& prompts() const = 0;
  // Numbers of the rows that there are.
  virtual const std::vector<std::int64_t>& rows() const = 0;
  // Positions at which there are rows.
  virtual std::vector<std::string> positions() const = 0;
  bool has(const std::string& position) const;
  // Throws InputError naming the positions there are.
  virtual PositionRows rows_at(const std::string& position) const = 0;
  // s[l] of each scored prompt (analysis/scores.h); no value in any row where it lacks the position or a
  // centroid has no other prompt.
  virtual std::vector<RowScores> scores(const std::string& position, const Clusters& clusters) const = 0;
  // Whether there is a centroid, without computing it.
  virtual bool has_centroid(const std::string& set, const std::string& position) const = 0;
  // Of all prompts that make the centroids; nothing where there are none.
  virtual std::optional<ProbeCentroid> centroid(const std::string& set,
                                                const std::string& position) const = 0;
  // The prompts that make the centroids, and their rows; none where centroids come as tensors.
  virtual std::vector<ProbePrompt> centroid_prompts() const = 0;
  virtual PositionRows centroid_rows_at(const std::string& position,
                                        SpanValue value = SpanValue::kMean) const = 0;
  // Directions that come as such instead of prompts, by kind (harmfulness, refusal) and category.
  virtual std::map<std::string, at::Tensor> category_directions(const std::string& kind) const = 0;
  // Where it all comes from, and how scored prompts are held out of the centroids.
  virtual Json describe() const = 0;
};

// What the config says: the runs or tensor files. Throws InputError: a run that is none or not complete, runs
// that do not fit together, roles without prompts, scored prompts that are among the centroids' under another
// id (unless `allow_overlap`).
std::unique_ptr<ProbeSource> open_source(const Json& config);

}  // namespace hrt
