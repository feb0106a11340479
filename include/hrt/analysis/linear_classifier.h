#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace hrt {

// weights . features + intercept; positive where it is above 0.
struct LinearClassifier {
  at::Tensor weights;  // [features] float64
  double intercept = 0;

  // One a row of [items, features].
  std::vector<double> scores(const at::Tensor& features) const;
};

struct LogisticOptions {
  double l2 = 1;  // scikit-learn's 1 / C; above 0
  bool standardize =
      true;  // features to mean 0 and deviation 1 for the penalty; the weights are for features as given
};

// Logistic regression: minimises sum log(1 + exp(-y (w.x + b))) + l2 / 2 |w|^2, y = +-1, the intercept being
// free, by Newton's method in float64 until it no longer moves. With more features than items it is solved in
// the space that the items span. positive[i] is the class of row i of [items, features]. Nothing where a
// class is empty.
std::optional<LinearClassifier> fit_logistic(const at::Tensor& features, const std::vector<bool>& positive,
                                             const LogisticOptions& options = {});

// The unit direction from the negatives' mean to the positives', its threshold half-way. Nothing where a
// class is empty.
std::optional<LinearClassifier> fit_difference_of_means(const at::Tensor& features,
                                                        const std::vector<bool>& positive);

}  // namespace hrt
