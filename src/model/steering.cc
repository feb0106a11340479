#include "hrt/model/steering.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "hrt/base/error.h"

namespace hrt {

// A row of the values, and what is done to it.
struct Steering::Target {
  std::int64_t row = 0;
  std::size_t edit = 0;
  std::int64_t jobs = 1;
};

namespace {

at::Tensor norm_of(const at::Tensor& rows) { return at::linalg_vector_norm(rows, 2, {1}, true); }

}  // namespace

Steering::Steering(std::vector<Edit> edits, std::int64_t hidden)
    : edits_(std::move(edits)), tallies_(edits_.size()) {
  std::vector<at::Tensor> vectors;
  for (const Edit& edit : edits_) {
    if (edit.vector.dim() != 1 || edit.vector.size(0) != hidden) {
      throw InputError("a direction has {} values, the model's residual stream {}", edit.vector.numel(),
                       hidden);
    }
    vectors.push_back(edit.vector.to(at::kFloat));
  }
  if (vectors.empty()) return;
  vectors_ = at::stack(vectors);
  if (!vectors_.isfinite().all().item<bool>()) throw InputError("a direction holds NaN or infinity");
  norms_ = norm_of(vectors_);
}

void Steering::assign(std::int64_t job, std::size_t edit, TokenSpan tokens) {
  if (tokens.begin >= tokens.end) return;
  const HookPoint& point = edits_[edit].point;
  by_point_[{point.layer, point.site}][job].push_back({edit, tokens});
}

Hook Steering::hook() {
  return {[this](const HookPoint& point) {
            return by_point_.contains({point.layer, point.site});
          },
          [this](const HookPoint& point, const TokenMap& tokens, at::Tensor& values) {
            for (const auto& round : targets(by_point_.at({point.layer, point.site}), tokens))
              change(values, round);
          }};
}

// The n-th round holds every row's n-th edit.
std::vector<std::vector<Steering::Target>> Steering::targets(const ByJob& jobs,
                                                             const TokenMap& tokens) const {
  std::vector<std::vector<Target>> rounds;
  auto job = jobs.end();
  for (std::size_t i = 0; i < tokens.sequence.size(); ++i) {
    if (i == 0 || tokens.sequence[i] != tokens.sequence[i - 1]) job = jobs.find(tokens.sequence[i]);
    if (job == jobs.end()) continue;
    std::size_t round = 0;
    for (const Assignment& assignment : job->second) {
      if (tokens.position[i] < assignment.tokens.begin || tokens.position[i] >= assignment.tokens.end)
        continue;
      if (round == rounds.size()) rounds.emplace_back();
      rounds[round++].push_back({static_cast<std::int64_t>(i), assignment.edit, tokens.jobs[i]});
    }
  }
  return rounds;
}

void Steering::change(at::Tensor& values, const std::vector<Target>& targets) {
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> edits;
  std::vector<float> added;      // times the vector
  std::vector<float> shared;     // times the unit vector and the norm of h
  std::vector<float> component;  // along the unit vector
  std::vector<float> keeps;      // 1: what h has along the unit vector stays
  for (const Target& target : targets) {
    const Edit& edit = edits_[target.edit];
    const auto amount = static_cast<float>(edit.amount);
    rows.push_back(target.row);
    edits.push_back(static_cast<std::int64_t>(target.edit));
    added.push_back(edit.kind == Edit::Kind::kAdd ? amount : 0);
    shared.push_back(edit.kind == Edit::Kind::kAddShare ? amount : 0);
    component.push_back(edit.kind == Edit::Kind::kSetComponent ? amount : 0);
    keeps.push_back(edit.kind == Edit::Kind::kSetComponent ? 0 : 1);
  }
  const auto on_device = [&](const std::vector<float>& list) {
    return at::tensor(list).to(values.device()).unsqueeze(1);
  };
  const at::Tensor index = at::tensor(rows).to(values.device());
  const at::Tensor edit_index = at::tensor(edits).to(values.device());
  if (vectors_.device() != values.device()) {
    vectors_ = vectors_.to(values.device());
    norms_ = norms_.to(values.device());
  }
  const at::Tensor before = values.index_select(0, index).to(at::kFloat);  // [targets, hidden]
  const at::Tensor vector = vectors_.index_select(0, edit_index);
  const at::Tensor norm = norms_.index_select(0, edit_index);  // [targets, 1]
  const at::Tensor unit = at::where(norm > 0, vector / norm, vector);
  const at::Tensor along = (before * unit).sum({1}, true);
  const at::Tensor drop = at::where(norm > 0, (on_device(component) - along) * (1 - on_device(keeps)), 0.0);
  const at::Tensor scale = on_device(shared) * norm_of(before) + drop;
  const at::Tensor after = (before + on_device(added) * vector + scale * unit).to(values.scalar_type());
  values.index_copy_(0, index, after);
  tally(targets, before, after.to(at::kFloat));
}

void Steering::tally(const std::vector<Target>& targets, const at::Tensor& before, const at::Tensor& after) {
  const at::Tensor norm = norm_of(before);
  const at::Tensor share = at::where(norm > 0, norm_of(after - before) / norm, 0.0).to(at::kCPU, at::kFloat);
  const float* values = share.const_data_ptr<float>();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    EditTally& tally = tallies_[targets[i].edit];
    tally.tokens += targets[i].jobs;
    tally.norm_change += static_cast<double>(targets[i].jobs) * static_cast<double>(values[i]);
  }
}

}  // namespace hrt
