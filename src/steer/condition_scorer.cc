#include "condition_scorer.h"

#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

namespace hrt {

ConditionScorer::ConditionScorer(const Condition& condition, const DirectionSource& directions,
                                 const std::vector<std::int64_t>& rows)
    : condition_(condition) {
  std::vector<at::Tensor> plus;
  std::vector<at::Tensor> minus;
  std::vector<std::int64_t> index;
  for (const std::int64_t row : condition.rows) {
    plus.push_back(directions.centroid("harmful.t_inst", row));
    minus.push_back(directions.centroid("harmless.t_inst", row));
    index.push_back(std::ranges::find(rows, row) - rows.begin());
  }
  index_ = at::tensor(index);
  scorer_.emplace(at::stack(plus), at::stack(minus));
}

bool ConditionScorer::holds(const at::Tensor& rows) const {
  const RowScores scores = scorer_->score(rows.index_select(0, index_));
  const auto mean = row_mean(scores, condition_.rows).all_rows;
  return mean && (condition_.above ? *mean > condition_.threshold : *mean < condition_.threshold);
}

}  // namespace hrt
