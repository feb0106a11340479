#include "hrt/experiment/position_claim.h"

#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/min.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "hrt/base/error.h"
#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::int64_t kBlock = 512;  // prompts compared with all others at a time

struct AxisIndex {
  std::int64_t axis = 0;
  std::int64_t index = 0;
};

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && rest == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

std::optional<AxisIndex> parse_axis_index(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() != 2) return std::nullopt;
  const auto axis = parse_integer(parts[0]);
  const auto index = parse_integer(parts[1]);
  return axis && index ? std::optional(AxisIndex{*axis, *index}) : std::nullopt;
}

// A negative number counts from the end. Throws InputError when it is not in [0, size).
std::int64_t checked(std::int64_t number, std::int64_t size, std::string_view what,
                     const TensorLayout& layout) {
  const std::int64_t result = number < 0 ? number + size : number;
  if (result >= 0 && result < size) return result;
  throw InputError("tensor {} of shape {}: there is no {} {}", escape_for_terminal(layout.name),
                   to_line(Json(layout.shape)), what, number);
}

// The tensor without some axes, at one index each.
at::Tensor without_axes(at::Tensor tensor, std::vector<AxisIndex> picks) {
  std::sort(picks.begin(), picks.end(),
            [](const AxisIndex& a, const AxisIndex& b) { return a.axis > b.axis; });
  for (const AxisIndex& pick : picks) tensor = tensor.select(pick.axis, pick.index);
  return tensor;
}

// hrt's own files: which rows they hold stands in the metadata, and spans have offsets beside them.
void check_own_tensor(const TensorFile& file, const std::string& name) {
  if (file.has(name + ".offsets")) {
    throw InputError("{}: {} is a span of tokens, not one position", file.path().string(), name);
  }
  const auto rows = file.metadata().find("rows");
  if (rows != file.metadata().end() && !rows->second.starts_with("[0,") && rows->second != "[0]") {
    throw InputError("{}: row 0 is not among the rows {}", file.path().string(), rows->second);
  }
}

// [prompts, hidden] at the claimed position and row 0.
at::Tensor claimed_rows(const TensorFile& file, const PositionClaim& claim, ClaimCheck& check) {
  const auto position = parse_axis_index(claim.position);
  check.tensor = position ? claim.tensor.value_or("") : claim.position;
  if (position && !claim.tensor) check.tensor = file.only().name;
  const at::Tensor tensor = file.tensor(check.tensor);
  const TensorLayout& layout = file.layout(check.tensor);
  check.shape = layout.shape;
  if (!position) check_own_tensor(file, check.tensor);

  const auto axes = static_cast<std::int64_t>(layout.shape.size());
  const std::int64_t layer_axis = checked(claim.layer_axis.value_or(position ? 0 : 1), axes, "axis", layout);
  std::vector<AxisIndex> picks{{layer_axis, checked(0, tensor.size(layer_axis), "layer", layout)}};
  if (position) {
    const std::int64_t axis = checked(position->axis, axes, "axis", layout);
    if (axis == layer_axis)
      throw InputError("axis {} cannot be both layers and positions (--layer-axis)", axis);
    picks.push_back({axis, checked(position->index, tensor.size(axis), "index", layout)});
  }
  const at::Tensor rows = without_axes(tensor, picks);
  if (rows.dim() != 2 || rows.size(0) < 2 || !rows.is_floating_point()) {
    throw InputError(
        "tensor {} of shape {}: layer 0 at {} must leave [prompts, hidden] of at least two prompts",
        escape_for_terminal(layout.name), to_line(Json(layout.shape)), escape_for_terminal(claim.position));
  }
  return rows;
}

// Rounding to the stored dtype moves a cosine by less than this.
double tolerance_of(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
    case at::kFloat:
      return 1e-6;
    case at::kHalf:
      return 1e-4;
    default:
      return 1e-3;
  }
}

// Rows of length 1 in float64; those without a direction are left out and counted.
at::Tensor unit_rows(const at::Tensor& rows, std::int64_t& unusable) {
  const at::Tensor values = rows.to(at::kDouble);
  const at::Tensor norms = at::linalg_vector_norm(values, 2, at::IntArrayRef{1}, true);
  const at::Tensor usable = norms.isfinite().logical_and(norms.gt(0)).squeeze(1);
  unusable = rows.size(0) - usable.sum().item<std::int64_t>();
  return values.div(norms).index_select(0, usable.nonzero().squeeze(1));
}

void compare_pairs(const at::Tensor& units, ClaimCheck& check) {
  const std::int64_t count = units.size(0);
  if (count < 2) {
    check.min = check.mean = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  double sum = 0;
  check.min = 1;
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const at::Tensor block = units.narrow(0, begin, std::min(kBlock, count - begin));
    const at::Tensor cosines = at::matmul(block, units.t());
    check.min = std::min(check.min, cosines.min().item<double>());
    sum += cosines.sum().item<double>();
  }
  // Each prompt's cosine with itself is 1 and says nothing.
  const auto n = static_cast<double>(count);
  check.mean = (sum - n) / (n * (n - 1));
}

}  // namespace

ClaimCheck check_claim(const TensorFile& file, const PositionClaim& claim) {
  ClaimCheck check;
  const at::Tensor rows = claimed_rows(file, claim, check);
  check.prompts = rows.size(0);
  check.tolerance = tolerance_of(rows.scalar_type());
  compare_pairs(unit_rows(rows, check.unusable), check);
  return check;
}

Json claim_json(const ClaimCheck& check) {
  return {{"tensor", check.tensor},       {"shape", check.shape},
          {"prompts", check.prompts},     {"unusable", check.unusable},
          {"min_cosine", check.min},      {"mean_cosine", check.mean},
          {"tolerance", check.tolerance}, {"verdict", check.holds() ? "holds" : "does not hold"}};
}

std::string claim_page(const ClaimCheck& check, const PositionClaim& claim) {
  Page page(fmt::format("Claim: {} is t_inst, and the prompts end in the same token", claim.position));
  page.add("tensor", fmt::format("{} {}", check.tensor, to_line(Json(check.shape))));
  page.add("cosines",
           fmt::format("between {} prompts at layer 0: min {:.6f}, mean {:.6f}; equal tokens give 1",
                       check.prompts, check.min, check.mean));
  if (check.unusable > 0)
    page.add("", fmt::format("{} prompts have a row that is zero or not finite", check.unusable));
  page.add("verdict", check.holds()
                          ? "holds: one and the same token stands there in every prompt (so it does at "
                            "t_post_inst: this is a necessary sign, not a proof)"
                          : "does not hold: the rows come from different tokens");
  return page.text();
}

}  // namespace hrt
