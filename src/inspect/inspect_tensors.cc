#include "hrt/inspect/inspect_tensors.h"

#include <ATen/ops/aminmax.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/sum.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::int64_t kPieceElements = 1 << 20;
constexpr std::uint64_t kMaxBytesUnasked = 4'000'000'000;

struct Sums {
  TensorStatistics statistics;
  double sum = 0;
  double squares = 0;

  void add(const at::Tensor& values) {  // [n] float64
    const at::Tensor finite = values.isfinite();
    const at::Tensor kept = finite.all().item<bool>() ? values : values.masked_select(finite);
    statistics.finite += kept.numel();
    statistics.not_finite += values.numel() - kept.numel();
    if (kept.numel() == 0) return;
    const auto [min, max] = at::aminmax(kept);
    statistics.min = std::min(statistics.min, min.item<double>());
    statistics.max = std::max(statistics.max, max.item<double>());
    sum += kept.sum().item<double>();
    squares += kept.dot(kept).item<double>();
  }
};

// Splits along the first dimension until the pieces are small.
void add_pieces(const at::Tensor& tensor, Sums& sums) {
  if (tensor.numel() <= kPieceElements) return sums.add(tensor.reshape({-1}).to(at::kDouble));
  const std::int64_t rows = tensor.size(0);
  const std::int64_t step = std::max<std::int64_t>(1, kPieceElements / (tensor.numel() / rows));
  for (std::int64_t begin = 0; begin < rows; begin += step) {
    const at::Tensor piece = tensor.narrow(0, begin, std::min(step, rows - begin));
    add_pieces(step == 1 ? piece.squeeze(0) : piece, sums);
  }
}

Json statistics_json(const TensorStatistics& s) {
  const auto value = [&](double number) { return s.finite > 0 ? Json(number) : Json(); };
  return {{"min", value(s.min)},
          {"max", value(s.max)},
          {"mean", value(s.mean)},
          {"norm", value(s.norm)},
          {"not_finite", s.not_finite}};
}

Json tensor_json(const TensorFile& file, const TensorLayout& layout, bool statistics) {
  Json json{{"name", layout.name},
            {"dtype", safetensors_dtype(layout.dtype)},
            {"shape", layout.shape},
            {"strides", layout.strides},
            {"statistics", nullptr}};
  if (statistics) {
    json["statistics"] = statistics_json(tensor_statistics(file.tensor(layout.name)));
    file.release(layout.name);
  }
  return json;
}

std::string number_cell(const Json& statistics, const char* key) {
  const Json value = statistics.is_null() ? Json() : statistics.at(key);
  return value.is_null() ? "-" : fmt::format("{:.4g}", value.get<double>());
}

std::string finite_cell(const Json& statistics) {
  if (statistics.is_null()) return "-";
  const auto bad = statistics.at("not_finite").get<std::int64_t>();
  return bad == 0 ? "all" : fmt::format("{} not", grouped(bad));
}

bool lacks_statistics(const Json& tensor) { return tensor.at("statistics").is_null(); }

bool is_view(const Json& tensor) {
  return tensor.at("strides") !=
         Json(contiguous_strides(tensor.at("shape").get<std::vector<std::int64_t>>()));
}

// With a column of strides where some are not those of the shape.
Table tensors_table(const Json& tensors) {
  using enum Table::Align;
  std::vector<Table::Column> columns{{"dtype"},        {"shape", kLeft, 24}, {"min", kRight}, {"max", kRight},
                                     {"mean", kRight}, {"norm", kRight},     {"finite"},      {"tensor"}};
  const bool views = std::any_of(tensors.begin(), tensors.end(), is_view);
  if (views) columns.insert(columns.begin() + 2, {"strides", kLeft, 24});
  Table table(columns);
  for (const Json& tensor : tensors) {
    const Json& s = tensor.at("statistics");
    std::vector<std::string> cells{plain(tensor.at("dtype")),
                                   to_line(tensor.at("shape")),
                                   number_cell(s, "min"),
                                   number_cell(s, "max"),
                                   number_cell(s, "mean"),
                                   number_cell(s, "norm"),
                                   finite_cell(s),
                                   plain(tensor.at("name"))};
    if (views) cells.insert(cells.begin() + 2, to_line(tensor.at("strides")));
    table.add(std::move(cells));
  }
  return table;
}

std::uint64_t bytes_of(const TensorLayout& layout) {
  return byte_size(layout.shape, c10::elementSize(layout.dtype)).value_or(0);
}

}  // namespace

TensorStatistics tensor_statistics(const at::Tensor& tensor) {
  Sums sums;
  sums.statistics.min = std::numeric_limits<double>::infinity();
  sums.statistics.max = -sums.statistics.min;
  add_pieces(tensor.is_contiguous() ? tensor.view({-1}) : tensor, sums);
  TensorStatistics result = sums.statistics;
  if (result.finite == 0) return {0, result.not_finite, 0, 0, 0, 0};
  result.mean = sums.sum / static_cast<double>(result.finite);
  result.norm = std::sqrt(sums.squares);
  return result;
}

Json describe_tensors(const TensorFile& file, const std::optional<std::string>& only) {
  const std::uint64_t bytes = only ? bytes_of(file.layout(*only)) : file.bytes();
  const bool statistics = only || file.bytes() <= kMaxBytesUnasked;
  Json tensors = Json::array();
  for (const TensorLayout& layout : file.tensors()) {
    if (!only || layout.name == *only) tensors.push_back(tensor_json(file, layout, statistics));
  }
  return {{"path", file.path().string()},
          {"bytes", bytes},
          {"metadata", file.metadata()},
          {"tensors", std::move(tensors)}};
}

std::string tensors_page(const Json& d) {
  Page page(fmt::format("{}: {}, {}", plain(d.at("path")), counted(d.at("tensors").size(), "tensor"),
                        human_bytes(d.at("bytes").get<std::uint64_t>())));
  for (const auto& [key, value] : d.at("metadata").items()) page.add("metadata", key + ": " + plain(value));
  const Json& tensors = d.at("tensors");
  if (std::any_of(tensors.begin(), tensors.end(), lacks_statistics))
    page.add("statistics", "left out, the file is large: --tensor NAME gives those of one tensor");
  return page.text() + "\n" + tensors_table(tensors).text();
}

}  // namespace hrt
