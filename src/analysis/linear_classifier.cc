#include "hrt/analysis/linear_classifier.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/std.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "hrt/analysis/directions.h"
#include "tensors.h"

namespace hrt {
namespace {

bool has_both(const std::vector<bool>& positive) {
  return std::find(positive.begin(), positive.end(), true) != positive.end() &&
         std::find(positive.begin(), positive.end(), false) != positive.end();
}

// 1 for positive items and 0 for others, [items].
at::Tensor targets_of(const std::vector<bool>& positive) {
  return to_tensor(std::vector<double>(positive.begin(), positive.end()));
}

// A feature that does not vary keeps its scale; its deviation is at most rounding.
at::Tensor deviations(const at::Tensor& features, const at::Tensor& mean) {
  const at::Tensor deviation = at::std(features, 0, /*unbiased=*/false);
  return at::where(deviation > 1e-10 * mean.abs(), deviation, 1.0);
}

// [items, columns] -> the same with a last column of ones, for the intercept.
at::Tensor with_intercept(const at::Tensor& items) {
  return at::cat({items, at::ones({items.size(0), 1}, at::kDouble)}, 1);
}

double objective(const at::Tensor& items, const at::Tensor& targets, const at::Tensor& penalty,
                 const at::Tensor& weights) {
  const at::Tensor margins = at::mv(items, weights) * (2 * targets - 1);
  return (-at::log_sigmoid(margins)).sum().item<double>() +
         (penalty * weights * weights).sum().item<double>() / 2;
}

// The minimum of the penalised loss; items [items, columns], the last column being the intercept's. ->
// [columns]
at::Tensor newton(const at::Tensor& items, const at::Tensor& targets, const at::Tensor& penalty) {
  at::Tensor weights = at::zeros({items.size(1)}, at::kDouble);
  for (int iteration = 0; iteration < 100; ++iteration) {
    const at::Tensor probabilities = at::sigmoid(at::mv(items, weights));
    const at::Tensor gradient = at::mv(items.t(), probabilities - targets) + penalty * weights;
    const at::Tensor curvature = (probabilities * (1 - probabilities)).unsqueeze(1);
    const at::Tensor hessian = at::mm(items.t(), items * curvature) + penalty.diag();
    const at::Tensor step = at::linalg_solve(hessian, gradient);
    const double before = objective(items, targets, penalty, weights);
    double share = 1;
    while (objective(items, targets, penalty, weights - share * step) > before * (1 + 1e-12) &&
           share > 1e-9) {
      share /= 2;
    }
    weights = weights - share * step;
    if ((gradient * step).sum().item<double>() < 1e-14) break;
  }
  return weights;
}

// Weights [columns + 1] of the penalised problem. Its solution lies in the span of the items: with more
// columns than items it is solved in coordinates of that span, which change neither products nor the penalty.
at::Tensor solve(const at::Tensor& items, const at::Tensor& targets, double l2) {
  const bool wide = items.size(1) > items.size(0);
  at::Tensor basis;
  at::Tensor coordinates = items;
  if (wide) {
    const auto [q, r] = at::linalg_qr(items.t());
    basis = q;
    coordinates = r.t();
  }
  at::Tensor penalty = at::ones({coordinates.size(1) + 1}, at::kDouble) * l2;
  penalty[-1] = 0;
  const at::Tensor weights = newton(with_intercept(coordinates), targets, penalty);
  if (!wide) return weights;
  const std::int64_t rank = coordinates.size(1);
  return at::cat({at::mv(basis, weights.narrow(0, 0, rank)), weights.narrow(0, rank, 1)});
}

}  // namespace

std::vector<double> LinearClassifier::scores(const at::Tensor& features) const {
  return to_vector(at::mv(features.to(at::kDouble), weights) + intercept);
}

std::optional<LinearClassifier> fit_logistic(const at::Tensor& features, const std::vector<bool>& positive,
                                             const LogisticOptions& options) {
  if (!has_both(positive)) return std::nullopt;
  at::Tensor items = features.to(at::kDouble);
  const std::int64_t columns = items.size(1);
  at::Tensor mean = at::zeros({columns}, at::kDouble);
  at::Tensor scale = at::ones({columns}, at::kDouble);
  if (options.standardize) {
    mean = items.mean(0);
    scale = deviations(items, mean);
    items = (items - mean) / scale;
  }
  const at::Tensor solution = solve(items, targets_of(positive), options.l2);
  const at::Tensor weights = solution.narrow(0, 0, columns) / scale;
  return LinearClassifier{weights, solution[-1].item<double>() - (weights * mean).sum().item<double>()};
}

std::optional<LinearClassifier> fit_difference_of_means(const at::Tensor& features,
                                                        const std::vector<bool>& positive) {
  if (!has_both(positive)) return std::nullopt;
  Centroid plus;
  Centroid minus;
  for (std::size_t i = 0; i < positive.size(); ++i) {
    (positive[i] ? plus : minus).add(features[static_cast<std::int64_t>(i)]);
  }
  const at::Tensor weights = unit_rows(plus.mean() - minus.mean());
  return LinearClassifier{weights, -(weights * (plus.mean() + minus.mean())).sum().item<double>() / 2};
}

}  // namespace hrt
