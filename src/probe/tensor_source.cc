#include "tensor_source.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "hrt/analysis/scores.h"
#include "hrt/base/error.h"
#include "hrt/base/known_keys.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/direction_source.h"
#include "hrt/experiment/position_claim.h"
#include "hrt/tensor/tensor_file.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

constexpr std::array kAxes{"prompt", "row", "hidden", "position"};  // in the order they are brought into

std::vector<std::string> strings_of(const JsonObject& object, const char* key) {
  const Json* list = object.find(key);
  const bool valid = list != nullptr && list->is_array() &&
                     std::ranges::all_of(*list, [](const Json& item) { return item.is_string(); });
  if (!valid) throw InputError("{}: expected a list of strings", object.where(key));
  return list->get<std::vector<std::string>>();
}

// [prompts, rows, hidden, positions], a prompt or position axis that is not there being added.
at::Tensor arranged(at::Tensor tensor, const std::vector<std::string>& axes, const std::string& where) {
  const bool known = std::ranges::all_of(
      axes, [](const std::string& axis) { return std::ranges::find(kAxes, axis) != kAxes.end(); });
  if (!known || std::cmp_not_equal(axes.size(), tensor.dim())) {
    throw InputError("{} must name the {} axes of the tensor of shape {} (of {})", where, tensor.dim(),
                     to_line(Json(tensor.sizes().vec())), join({kAxes.begin(), kAxes.end()}, ", "));
  }
  std::vector<std::int64_t> order;
  for (const char* axis : kAxes) {
    const auto found = std::ranges::find(axes, axis);
    if (found == axes.end()) {
      order.push_back(tensor.dim());
      tensor = tensor.unsqueeze(-1);
    } else {
      order.push_back(found - axes.begin());
    }
  }
  return tensor.permute(order);
}

// The value of a key by its name; `otherwise` without the key.
template <typename Value>
Value named(const JsonObject& object, const char* key, std::optional<Value> (*by_name)(std::string_view),
            Value otherwise) {
  if (!object.has(key)) return otherwise;
  if (const auto value = by_name(object.string(key))) return *value;
  throw InputError("{}: \"{}\" is not known", object.where(key), object.string(key));
}

}  // namespace

TensorSource::TensorSource(const Json& config)
    : root_(optional_value<std::string>(config, "data_root").value_or(".")) {
  const JsonObject tensors(config.at("tensors"), "config", "/tensors");
  check_known_keys(tensors, {"prompts", "centroids", "directions", "limits"});
  description_ = {{"files", Json::array()}, {"held_out", "not known: the centroids come as tensors"}};
  if (tensors.has("limits")) description_["limits"] = tensors.string("limits");
  if (tensors.has("centroids")) {
    const JsonObject centroids = tensors.object("centroids");
    for (const auto& [name, value] : centroids.raw().items()) {
      centroids_[name] = read(centroids.string(name), centroids.where(name)).to(at::kDouble);
      take_rows(centroids_[name].size(0), centroids.where(name));
    }
  }
  if (tensors.has("directions")) read_directions(tensors.object("directions"));
  // Last, so that of the two it is the axes of the prompts that do not fit: centroids have none to be named.
  if (const Json* entries = tensors.find("prompts")) {
    for (std::size_t i = 0; i < entries->size(); ++i)
      read_prompts(JsonObject((*entries)[i], "config", fmt::format("/tensors/prompts/{}", i)));
  }
}

void TensorSource::read_directions(const JsonObject& directions) {
  for (const auto& [kind, value] : directions.raw().items()) {
    const JsonObject categories = directions.object(kind);
    for (const auto& [category, file] : categories.raw().items()) {
      directions_[kind][category] = read(categories.string(category), categories.where(category));
      take_rows(directions_[kind][category].size(0), categories.where(category));
    }
  }
}

// FILE or FILE:TENSOR below the root, [rows, hidden].
at::Tensor TensorSource::read(const std::string& name, const std::string& where) {
  DirectionName place = split_direction((root_ / name).string());
  if (place.path.empty()) place = {root_ / name, ""};  // not there: the error is the reader's
  const DirectionRows direction = read_direction(place);
  description_["files"].push_back(name);
  if (!direction.values.isfinite().all().item<bool>())
    throw InputError("{}: {} holds NaN or infinity", where, name);
  return direction.values;
}

void TensorSource::take_rows(std::int64_t count, const std::string& where) {
  if (rows_.empty()) {
    rows_.resize(static_cast<std::size_t>(count));
    std::iota(rows_.begin(), rows_.end(), std::int64_t{0});
  }
  if (std::cmp_not_equal(count, rows_.size()))
    throw InputError("{}: has {} rows, the tensors before it {}", where, count, rows_.size());
}

void TensorSource::read_prompts(const JsonObject& entry) {
  check_known_keys(entry, {"file", "tensor", "axes", "positions", "label", "outcome", "set", "same_token"});
  const TensorFile file(root_ / entry.string("file"));
  const std::string tensor = entry.string("tensor", entry.has("tensor") ? "" : file.only().name);
  const std::vector<std::string> axes = strings_of(entry, "axes");
  const std::vector<std::string> positions = strings_of(entry, "positions");
  const at::Tensor values =
      arranged(file.tensor(tensor), axes, fmt::format("{} ({})", entry.where("axes"), entry.string("file")));
  if (std::cmp_not_equal(values.size(3), positions.size()))
    throw InputError("{}: expected {} names", entry.where("positions"), values.size(3));
  take_rows(values.size(1), fmt::format("{} ({})", entry.where("axes"), entry.string("file")));
  description_["files"].push_back(entry.string("file"));

  const std::size_t first = prompts_.size();
  const std::string set = entry.string("set", fs::path(entry.string("file")).stem().string());
  for (std::int64_t i = 0; i < values.size(0); ++i) {
    prompts_.push_back({.id = fmt::format("{}:{}", set, i + 1),
                        .label = named(entry, "label", label_by_name, Label::kNone),
                        .outcome = named(entry, "outcome", outcome_by_name, Outcome::kUnknown),
                        .request = "",
                        .fields = {{"set", set}}});
  }
  for (std::size_t p = 0; p < positions.size(); ++p) {
    PositionRows& rows = positions_[positions[p]];
    const at::Tensor here = values.select(3, static_cast<std::int64_t>(p));
    rows.rows = rows.rows.defined() ? at::cat({rows.rows, here}) : here;
    for (std::size_t i = first; i < prompts_.size(); ++i) rows.prompts.push_back(i);
  }
  if (entry.has("same_token")) check_same_token(entry, axes);
}

// Prompts that are said to have the same token at a position must have the same row 0 there.
void TensorSource::check_same_token(const JsonObject& entry, const std::vector<std::string>& axes) {
  const std::vector<std::string> positions = strings_of(entry, "positions");
  const std::string position = entry.string("same_token");
  const auto index = std::ranges::find(positions, position) - positions.begin();
  const auto axis_of = [&](const char* name) { return std::ranges::find(axes, name) - axes.begin(); };
  const TensorFile file(root_ / entry.string("file"));
  const ClaimCheck check =
      check_claim(file, {fmt::format("{}:{}", axis_of("position"), index), std::nullopt, axis_of("row")});
  description_["position_check"] = {
      {"position", position}, {"holds", check.holds()}, {"smallest_cosine", check.min}};
}

std::vector<std::string> TensorSource::positions() const {
  std::vector<std::string> names;
  for (const auto& [name, rows] : positions_) names.push_back(name);
  return names;
}

PositionRows TensorSource::rows_at(const std::string& position) const {
  const auto found = positions_.find(position);
  if (found != positions_.end()) return found->second;
  throw InputError("/tensors/prompts: no rows at {}", position);
}

std::vector<RowScores> TensorSource::scores(const std::string& position, const Clusters& clusters) const {
  const auto plus = centroid(clusters.plus, position);
  const auto minus = centroid(clusters.minus, position);
  std::vector<RowScores> scores(prompts_.size(), RowScores(rows_.size()));
  if (!plus || !minus) return scores;
  const PositionRows rows = rows_at(position);
  if (rows.rows.size(2) != plus->mean.size(1) || rows.rows.size(2) != minus->mean.size(1))
    throw InputError(
        "/tensors: prompts at {} are {} wide, their centroids {} and {} (see /axes of the prompts)", position,
        rows.rows.size(2), plus->mean.size(1), minus->mean.size(1));
  const CentroidScorer scorer(plus->mean, minus->mean);
  for (std::size_t i = 0; i < rows.prompts.size(); ++i)
    scores[rows.prompts[i]] = scorer.score(rows.rows[static_cast<std::int64_t>(i)]);
  return scores;
}

std::optional<ProbeCentroid> TensorSource::centroid(const std::string& set,
                                                    const std::string& position) const {
  const auto found = centroids_.find(set + "." + position);
  return found == centroids_.end() ? std::nullopt : std::optional(ProbeCentroid{found->second, 0});
}

std::map<std::string, at::Tensor> TensorSource::category_directions(const std::string& kind) const {
  const auto found = directions_.find(kind);
  return found == directions_.end() ? std::map<std::string, at::Tensor>{} : found->second;
}

}  // namespace hrt
