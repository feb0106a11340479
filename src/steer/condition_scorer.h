#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "hrt/analysis/scores.h"
#include "hrt/experiment/direction_source.h"
#include "hrt/steer/cells.h"

namespace hrt {

// Says of a prompt whether it meets a cell's condition: the mean over the condition's rows of its score at
// t_inst, against the centroids of harmful and of harmless prompts.
class ConditionScorer {
 public:
  // `rows`: the numbers of the rows that `holds` is given, the condition's among them. Throws InputError
  // where a centroid is absent.
  ConditionScorer(const Condition& condition, const DirectionSource& directions,
                  const std::vector<std::int64_t>& rows);
  // [rows, hidden] of t_inst.
  bool holds(const at::Tensor& rows) const;

 private:
  Condition condition_;
  at::Tensor index_;  // of the condition's rows
  std::optional<CentroidScorer> scorer_;
};

}  // namespace hrt
