#include "hrt/experiment/direction_source.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <numeric>

#include "hrt/base/error.h"
#include "hrt/base/random.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/tensor_file.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

fs::path tensor_file(const fs::path& place, const char* in_run) {
  return fs::is_directory(place) ? place / in_run : place;
}

constexpr const char* kDirections = "directions.safetensors";

// A run says which rows its tensors hold; elsewhere they are counted from 0.
std::vector<std::int64_t> row_numbers(const TensorFile& file, std::int64_t count) {
  const auto stated = file.metadata().find("rows");
  if (stated != file.metadata().end()) {
    const Json rows = Json::parse(stated->second, nullptr, false);
    const bool numbers =
        rows.is_array() && std::ranges::all_of(rows, [](const Json& row) { return row.is_number_integer(); });
    if (!numbers || std::cmp_not_equal(rows.size(), count)) {
      throw InputError("{}: metadata rows must list the {} rows", file.path().string(), count);
    }
    return rows.get<std::vector<std::int64_t>>();
  }
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

}  // namespace

at::Tensor DirectionSource::vector(const std::string& name, std::int64_t row) const {
  DirectionName split = split_direction(name);
  if (split.path.empty()) split.path = place_;
  if (split.path.empty())
    throw InputError("direction {}: no file or run to look it up in (--direction PATH)", name);
  return row_of(table(tensor_file(split.path, kDirections), split.name), row);
}

at::Tensor DirectionSource::centroid(const std::string& name, std::int64_t row) const {
  if (!fs::is_directory(place_))
    throw InputError("{}: centroids are needed, so this must be a run directory", place_.string());
  return row_of(table(place_ / "centroids.safetensors", name), row);
}

std::vector<std::string> DirectionSource::names() const {
  const TensorFile file(tensor_file(place_, kDirections));
  std::vector<std::string> names;
  for (const TensorLayout& tensor : file.tensors()) names.push_back(tensor.name);
  return names;
}

at::Tensor DirectionSource::row_of(const Table& table, std::int64_t row) const {
  if (table.values.dim() == 1) return table.values;
  const auto found = std::ranges::find(table.rows, row);
  if (found == table.rows.end()) {
    throw InputError("{}: has no row {} (rows: {})", table.origin, row, to_line(Json(table.rows)));
  }
  return table.values.select(0, found - table.rows.begin());
}

const DirectionSource::Table& DirectionSource::table(const fs::path& file, const std::string& tensor) const {
  const std::string origin = tensor.empty() ? file.string() : fmt::format("{}: {}", file.string(), tensor);
  if (const auto known = tables_.find(origin); known != tables_.end()) return known->second;
  const TensorFile content(file);
  const std::string name = tensor.empty() ? content.only().name : tensor;
  const at::Tensor values = content.tensor(name).to(at::kFloat).contiguous();
  const bool matrix = values.dim() == 2;
  if ((!matrix && values.dim() != 1) || values.size(-1) != hidden_) {
    throw InputError("{}: has shape {}, expected [rows, {}] or [{}] for this model", origin,
                     to_line(Json(values.sizes().vec())), hidden_, hidden_);
  }
  if (!values.isfinite().all().item<bool>()) throw InputError("{}: holds NaN or infinity", origin);
  Table table{.file = file,
              .origin = origin,
              .values = values,
              .rows = matrix ? row_numbers(content, values.size(0)) : std::vector<std::int64_t>{}};
  if (matrix) check_rows(table, content.metadata().contains("rows"));
  return tables_.emplace(origin, std::move(table)).first->second;
}

// A table of other layers would be used at the wrong ones without a word.
void DirectionSource::check_rows(const Table& table, bool numbered) const {
  if (!numbered && std::cmp_not_equal(table.rows.size(), layers_ + 1)) {
    throw InputError("{}: has {}, expected {} for this model, of the embedding and its {}", table.origin,
                     counted(table.rows.size(), "row"), layers_ + 1,
                     counted(static_cast<std::size_t>(layers_), "layer"));
  }
  const auto outside =
      std::ranges::find_if(table.rows, [this](std::int64_t row) { return row < 0 || row > layers_; });
  if (outside != table.rows.end())
    throw InputError("{}: has row {}, this model's rows are 0..{}", table.origin, *outside, layers_);
}

std::set<fs::path> DirectionSource::runs() const {
  std::set<fs::path> runs;
  for (const auto& [origin, table] : tables_) {
    const fs::path folder = table.file.parent_path();
    if (table.file.filename() == kDirections && fs::exists(folder / "manifest.json")) runs.insert(folder);
  }
  return runs;
}

DirectionRows read_direction(const DirectionName& name) {
  const TensorFile file(tensor_file(name.path, kDirections));
  const std::string tensor = name.name.empty() ? file.only().name : name.name;
  const at::Tensor values = file.tensor(tensor).to(at::kFloat);
  if (values.dim() == 1) return {values.unsqueeze(0), {0}};
  if (values.dim() != 2) {
    throw InputError("{}: {} has shape {}, expected [rows, hidden]", file.path().string(),
                     escape_for_terminal(tensor), to_line(Json(values.sizes().vec())));
  }
  return {values, row_numbers(file, values.size(0))};
}

DirectionName split_direction(const std::string& text) {
  if (fs::exists(text)) return {text, ""};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return {"", text};
  const fs::path path = text.substr(0, colon);
  // `harmfulness:CATEGORY` is a name, too.
  if (!fs::exists(path) && path.string().find('/') == std::string::npos) return {"", text};
  return {path, text.substr(colon + 1)};
}

at::Tensor random_direction(std::uint64_t seed, std::int64_t row, std::int64_t hidden) {
  Random random(seed * 1'000'003 + static_cast<std::uint64_t>(row));
  std::vector<float> values;
  for (std::int64_t i = 0; i < hidden; ++i) values.push_back(static_cast<float>(random.normal()));
  const at::Tensor vector = at::tensor(values);
  return vector / at::linalg_vector_norm(vector);
}

}  // namespace hrt
