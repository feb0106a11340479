#include "cell_edits.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>

namespace hrt {
namespace {

double norm_of(const at::Tensor& vector) { return at::linalg_vector_norm(vector).item<double>(); }

// The vector of one layer: the direction's row, or a random one as long.
at::Tensor vector_of(const Intervention& intervention, std::int64_t layer, const DirectionSource& directions,
                     std::int64_t hidden) {
  const std::int64_t row = intervention.row.value_or(layer);
  const at::Tensor vector = directions.vector(intervention.direction, row);
  if (!intervention.random) return vector;
  return random_direction(*intervention.random, row, hidden) * norm_of(vector);
}

Edit edit_of(const Intervention& intervention, std::int64_t layer, const DirectionSource& directions,
             std::int64_t hidden) {
  Edit edit{.vector = vector_of(intervention, layer, directions, hidden), .amount = intervention.coefficient};
  const double norm = norm_of(edit.vector);
  switch (intervention.op) {
    case Op::kAdd:
      edit.kind = intervention.scale == Scale::kNorm ? Edit::Kind::kAddShare : Edit::Kind::kAdd;
      if (intervention.scale == Scale::kUnit && norm > 0) edit.amount /= norm;
      break;
    case Op::kAblate:
      edit.kind = Edit::Kind::kSetComponent;
      edit.amount = 0;
      break;
    case Op::kClamp:
      edit.kind = Edit::Kind::kSetComponent;
      break;
    case Op::kAffine: {
      edit.kind = Edit::Kind::kSetComponent;
      const at::Tensor reference =
          directions.centroid(intervention.reference, intervention.row.value_or(layer));
      edit.amount = norm > 0 ? at::dot(reference, edit.vector).item<double>() / norm : 0;
      break;
    }
  }
  return edit;
}

bool is_neutral(const Edit& edit) {
  return norm_of(edit.vector) == 0 || (edit.kind != Edit::Kind::kSetComponent && edit.amount == 0);
}

}  // namespace

std::optional<std::int64_t> CellEdits::first_token(const TemplatedPrompt& prompt) const {
  std::optional<std::int64_t> first;
  for (const Scope scope : scopes) {
    const TokenSpan span = tokens_of(scope, prompt);
    if (span.begin < span.end) first = std::min(span.begin, first.value_or(span.begin));
  }
  return first;
}

void check_directions(const Cell& cell, const DirectionSource& directions, std::int64_t hidden) {
  edits_of(cell, directions, hidden);
}

CellEdits edits_of(const Cell& cell, const DirectionSource& directions, std::int64_t hidden) {
  CellEdits result;
  for (const Intervention& intervention : cell.interventions) {
    for (const std::int64_t layer : intervention.layers) {
      Edit edit = edit_of(intervention, layer, directions, hidden);
      result.neutral = result.neutral && is_neutral(edit);
      for (const Site site : intervention.sites) {
        edit.point = {layer, site};
        result.edits.push_back(edit);
        result.scopes.push_back(intervention.scope);
      }
    }
  }
  return result;
}

}  // namespace hrt
