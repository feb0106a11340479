#include "rope.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace hrt {

namespace {

// base ^ (2i / dim): wavelength / 2 pi of each pair, [dim / 2]
at::Tensor periods(double base, std::int64_t dim) {
  const at::Tensor exponents = at::arange(0, dim, 2, at::kFloat).div(static_cast<double>(dim));
  return at::pow(at::Scalar(base), exponents);
}

// _compute_dynamic_ntk_parameters
double dynamic_base(const RopeSpec& spec, std::int64_t dim, std::int64_t max_positions, std::int64_t length) {
  const double stretch =
      static_cast<double>(std::max(length, max_positions)) / static_cast<double>(max_positions);
  const double d = static_cast<double>(dim);
  return spec.theta * std::pow(spec.factor * stretch - (spec.factor - 1), d / (d - 2));
}

// _compute_yarn_parameters: high frequencies are kept, low ones divided by the factor, a linear ramp between.
at::Tensor yarn(const RopeSpec& spec, std::int64_t dim) {
  const double d = static_cast<double>(dim);
  const auto correction_dim = [&](double rotations) {
    const double turns =
        static_cast<double>(spec.original_max_positions) / (rotations * 2 * std::numbers::pi);
    return d * std::log(turns) / (2 * std::log(spec.theta));
  };
  double low = correction_dim(spec.beta_fast);
  double high = correction_dim(spec.beta_slow);
  if (spec.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, d - 1);
  if (low == high) high += 0.001;
  const at::Tensor ramp = at::arange(0, dim / 2, at::kFloat).sub(low).div(high - low).clamp(0, 1);
  const at::Tensor kept = ramp.mul(-1).add(1);
  const at::Tensor period = periods(spec.theta, dim);
  return period.mul(spec.factor).reciprocal().mul(kept.mul(-1).add(1)).add(period.reciprocal().mul(kept));
}

double yarn_attention_factor(const RopeSpec& spec) {
  if (spec.attention_factor) return *spec.attention_factor;
  const auto scale = [&](double mscale) {
    return spec.factor <= 1 ? 1.0 : 0.1 * mscale * std::log(spec.factor) + 1.0;
  };
  const bool both = spec.mscale.value_or(0) != 0 && spec.mscale_all_dim.value_or(0) != 0;
  return both ? scale(*spec.mscale) / scale(*spec.mscale_all_dim) : scale(1);
}

// _compute_llama3_parameters: long wavelengths are divided by the factor, medium ones smoothly less.
at::Tensor llama3(const RopeSpec& spec, std::int64_t dim) {
  const double original = static_cast<double>(spec.original_max_positions);
  const double low = spec.low_freq_factor;
  const double high = spec.high_freq_factor;
  const at::Tensor frequency = periods(spec.theta, dim).reciprocal();
  const at::Tensor wavelength = frequency.reciprocal().mul(2 * std::numbers::pi);
  const at::Tensor scaled = frequency.div(spec.factor);
  const at::Tensor long_scaled = at::where(wavelength.gt(original / low), scaled, frequency);
  const at::Tensor smooth = wavelength.reciprocal().mul(original).sub(low).div(high - low);
  const at::Tensor blended =
      smooth.mul(-1).add(1).mul(long_scaled).div(spec.factor).add(smooth.mul(long_scaled));
  const at::Tensor medium = wavelength.ge(original / high).logical_and(wavelength.le(original / low));
  return at::where(medium, blended, long_scaled);
}

// _compute_longrope_parameters: a factor for each pair, one set for short sequences and one for long.
at::Tensor longrope(const RopeSpec& spec, std::int64_t dim, bool is_long) {
  std::vector<double> factors = is_long ? spec.long_factors : spec.short_factors;
  const at::Tensor column = at::from_blob(factors.data(), {dim / 2}, at::kDouble).to(at::kFloat);
  return column.mul(periods(spec.theta, dim)).reciprocal();
}

double longrope_attention_factor(const RopeSpec& spec) {
  if (spec.attention_factor) return *spec.attention_factor;
  const double original = static_cast<double>(spec.original_max_positions);
  return spec.factor <= 1 ? 1.0 : std::sqrt(1 + std::log(spec.factor) / std::log(original));
}

// From more tokens on than these, frequencies depend on the sequence's length.
std::int64_t switch_length(const RopeSpec& spec, std::int64_t max_positions) {
  switch (spec.kind) {
    case RopeSpec::Kind::kDynamic:
      return max_positions;
    case RopeSpec::Kind::kLongRope:
      return spec.original_max_positions;
    default:
      return std::numeric_limits<std::int64_t>::max();
  }
}

}  // namespace

bool rotates_by_length(const DecoderSpec& spec, std::int64_t length) {
  return length > switch_length(spec.rope, spec.max_positions);
}

Rope::Rope(RopeSpec spec, std::int64_t rotary_dim, std::int64_t max_positions)
    : spec_(std::move(spec)),
      rotary_dim_(rotary_dim),
      max_positions_(max_positions),
      switch_length_(switch_length(spec_, max_positions)) {
  frequencies_ = frequencies(0);
  if (spec_.kind == RopeSpec::Kind::kYarn) attention_factor_ = yarn_attention_factor(spec_);
  if (spec_.kind == RopeSpec::Kind::kLongRope) attention_factor_ = longrope_attention_factor(spec_);
}

at::Tensor Rope::frequencies(std::int64_t length) const {
  switch (spec_.kind) {
    case RopeSpec::Kind::kDefault:
      break;
    case RopeSpec::Kind::kLinear:
      return periods(spec_.theta, rotary_dim_).reciprocal().div(spec_.factor);
    case RopeSpec::Kind::kDynamic:
      return periods(dynamic_base(spec_, rotary_dim_, max_positions_, length), rotary_dim_).reciprocal();
    case RopeSpec::Kind::kYarn:
      return yarn(spec_, rotary_dim_);
    case RopeSpec::Kind::kLlama3:
      return llama3(spec_, rotary_dim_);
    case RopeSpec::Kind::kLongRope:
      return longrope(spec_, rotary_dim_, length > switch_length_);
  }
  return periods(spec_.theta, rotary_dim_).reciprocal();
}

RopeTable Rope::table(const Batch& batch) const {
  std::vector<std::int64_t> positions = batch.map().position;
  const at::Tensor column = at::from_blob(positions.data(), {batch.size(), 1}, at::kLong).to(at::kFloat);
  at::Tensor angles = column.mul(frequencies_);
  for (const Batch::Part& part : batch.parts()) {
    if (part.rope_length <= switch_length_) continue;
    angles.narrow(0, part.first_row, part.rows)
        .copy_(column.narrow(0, part.first_row, part.rows).mul(frequencies(part.rope_length)));
  }
  return {.cos = angles.cos().mul_(attention_factor_), .sin = angles.sin().mul_(attention_factor_)};
}

const RopeTable& RopeTables::of(Rotation rotation) const {
  if (rotation == Rotation::kNone) return none;
  return rotation == Rotation::kLocal ? local : global;
}

Rotations::Rotations(const DecoderSpec& spec) : global_(spec.rope, spec.rotary_dim, spec.max_positions) {
  if (spec.local_rope) local_.emplace(*spec.local_rope, spec.rotary_dim, spec.max_positions);
}

RopeTables Rotations::tables(const Batch& batch, at::Device device) const {
  const auto on_device = [&](const RopeTable& table) {
    return RopeTable{table.cos.to(device), table.sin.to(device)};
  };
  const at::Tensor empty = at::empty({batch.size(), 0}, at::TensorOptions(at::kFloat).device(device));
  return {.none = {empty, empty},
          .global = on_device(global_.table(batch)),
          .local = local_ ? on_device(local_->table(batch)) : RopeTable{}};
}

}  // namespace hrt
