#include "hrt/experiment/inspect_tensors.h"

#include <ATen/ops/aminmax.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/sum.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "hrt/base/strings.h"
#include "inspect_layout.h"

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

Json statistics_json(const TensorStatistics& s) {
  const auto value = [&](double number) { return s.finite > 0 ? Json(number) : Json(); };
  return {{"min", value(s.min)},
          {"max", value(s.max)},
          {"mean", value(s.mean)},
          {"norm", value(s.norm)},
          {"not_finite", s.not_finite}};
}

std::vector<std::int64_t> contiguous_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  return strides;
}

Json tensor_json(const SafetensorsFile& file, const TensorInfo& info, bool statistics) {
  Json json{{"name", info.name},
            {"dtype", safetensors_dtype(info.dtype)},
            {"shape", info.shape},
            {"strides", contiguous_strides(info.shape)},
            {"statistics", nullptr}};
  if (statistics) {
    json["statistics"] = statistics_json(tensor_statistics(file.tensor(info.name)));
    file.release(info);
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

}  // namespace

TensorStatistics tensor_statistics(const at::Tensor& tensor) {
  Sums sums;
  sums.statistics.min = std::numeric_limits<double>::infinity();
  sums.statistics.max = -sums.statistics.min;
  const at::Tensor flat = tensor.reshape({-1});
  for (std::int64_t begin = 0; begin < flat.numel(); begin += kPieceElements) {
    const std::int64_t length = std::min(kPieceElements, flat.numel() - begin);
    sums.add(flat.narrow(0, begin, length).to(at::kDouble));
  }
  TensorStatistics result = sums.statistics;
  if (result.finite == 0) return {0, result.not_finite, 0, 0, 0, 0};
  result.mean = sums.sum / static_cast<double>(result.finite);
  result.norm = std::sqrt(sums.squares);
  return result;
}

Json describe_tensors(const SafetensorsFile& file, const std::optional<std::string>& only) {
  if (only) file.tensor(*only);  // throws when it is not there
  const bool statistics = only || file.file().size() <= kMaxBytesUnasked;
  Json tensors = Json::array();
  for (const TensorInfo& info : file.tensors()) {
    if (!only || info.name == *only) tensors.push_back(tensor_json(file, info, statistics));
  }
  return {{"path", file.file().path().string()},
          {"bytes", file.file().size()},
          {"metadata", file.metadata()},
          {"tensors", std::move(tensors)}};
}

std::string tensors_page(const Json& d) {
  Page page(fmt::format("{}: {}, {}", plain(d.at("path")), counted(d.at("tensors").size(), "tensor"),
                        human_bytes(d.at("bytes").get<std::uint64_t>())));
  for (const auto& [key, value] : d.at("metadata").items()) page.add("metadata", key + ": " + plain(value));
  using enum Table::Align;
  Table table({{"dtype"},
               {"shape", kLeft, 24},
               {"min", kRight},
               {"max", kRight},
               {"mean", kRight},
               {"norm", kRight},
               {"finite"},
               {"tensor"}});
  bool all_known = true;
  for (const Json& tensor : d.at("tensors")) {
    const Json& s = tensor.at("statistics");
    all_known = all_known && !s.is_null();
    table.add({plain(tensor.at("dtype")), to_line(tensor.at("shape")), number_cell(s, "min"),
               number_cell(s, "max"), number_cell(s, "mean"), number_cell(s, "norm"), finite_cell(s),
               plain(tensor.at("name"))});
  }
  if (!all_known)
    page.add("statistics", "left out, the file is large: --tensor NAME gives those of one tensor");
  return page.text() + "\n" + table.text();
}

}  // namespace hrt
