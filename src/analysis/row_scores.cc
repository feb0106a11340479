#include "hrt/analysis/row_scores.h"

#include "optional_mean.h"

namespace hrt {

RowMean row_mean(const RowScores& values, std::span<const std::int64_t> rows) {
  OptionalMean all;
  OptionalMean deeper;
  for (std::size_t i = 0; i < values.size(); ++i) {
    all.add(values[i]);
    if (rows[i] != 0) deeper.add(values[i]);
  }
  return {all.value(), deeper.value()};
}

RowScores mean_by_row(std::span<const RowScores> prompts) {
  if (prompts.empty()) return {};
  RowScores means;
  for (std::size_t row = 0; row < prompts.front().size(); ++row) {
    OptionalMean mean;
    for (const RowScores& prompt : prompts) mean.add(prompt[row]);
    means.push_back(mean.value());
  }
  return means;
}

}  // namespace hrt
