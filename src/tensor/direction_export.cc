#include "hrt/tensor/direction_export.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

constexpr std::size_t kGgufAlignment = 32;
constexpr std::size_t kNpyAlignment = 64;
constexpr std::int64_t kFirstRowWithAPlace = 2;

void check_numbers(const DirectionRows& direction) {
  const auto& numbers = direction.numbers;
  const bool ascending =
      std::adjacent_find(numbers.begin(), numbers.end(), std::greater_equal<>()) == numbers.end();
  const at::Tensor& values = direction.values;
  if (values.dim() != 2 || values.size(0) != static_cast<std::int64_t>(numbers.size()) || !ascending ||
      (!numbers.empty() && numbers.front() < 0))
    throw InputError("a direction of shape [{}] cannot be exported as rows {}",
                     fmt::join(values.sizes(), ", "), to_line(Json(numbers)));
}

// [rows, hidden] float32, contiguous.
at::Tensor values_of(const DirectionRows& direction) {
  check_numbers(direction);
  const at::Tensor values = direction.values.detach().cpu().to(at::kFloat).contiguous();
  for (std::size_t i = 0; i < direction.numbers.size(); ++i) {
    if (!values[static_cast<std::int64_t>(i)].isfinite().all().item<bool>())
      throw InputError("row {} of the direction is not finite in float32", direction.numbers[i]);
  }
  return values;
}

std::string_view bytes_of(const at::Tensor& values) {
  return {static_cast<const char*>(values.const_data_ptr()), values.nbytes()};
}

void write_checked(const std::filesystem::path& path, const std::string& bytes) {
  write_file(path, bytes);
  if (read_file(path) != bytes) throw RunError("{}: does not read as it was written", path.string());
}

// gguf, version 3, little-endian: magic, version, counts; keys with typed values; name, sizes, type and
// offset of each tensor; the tensors' data, aligned.
constexpr std::uint32_t kGgufVersion = 3;
constexpr std::uint32_t kGgufInt32 = 5;
constexpr std::uint32_t kGgufString = 8;
constexpr std::uint32_t kGgufFloat32 = 0;  // a tensor's type

template <typename Number>
std::string number(Number value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string text(std::string_view value) { return number<std::uint64_t>(value.size()) + std::string(value); }

void pad(std::string& bytes) {
  bytes.resize((bytes.size() + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment, '\0');
}

std::string gguf_header(std::size_t tensors, const std::string& model_hint) {
  return "GGUF" + number(kGgufVersion) + number<std::uint64_t>(tensors) + number<std::uint64_t>(3) +
         text("general.architecture") + number(kGgufString) + text("controlvector") +
         text("controlvector.model_hint") + number(kGgufString) + text(model_hint) +
         text("controlvector.layer_count") + number(kGgufInt32) + number(static_cast<std::int32_t>(tensors));
}

// `values` [rows, hidden] float32: rows first, first + 1, ... of `numbers`.
std::string control_vector_bytes(const at::Tensor& values, const std::vector<std::int64_t>& numbers,
                                 const std::string& model_hint) {
  std::string bytes = gguf_header(numbers.size(), model_hint);
  std::string data;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const at::Tensor row = values[static_cast<std::int64_t>(i)];
    bytes += text(fmt::format("direction.{}", numbers[i] - 1)) + number<std::uint32_t>(1) +
             number(static_cast<std::uint64_t>(row.numel())) + number(kGgufFloat32) +
             number<std::uint64_t>(data.size());
    data += bytes_of(row);
    pad(data);
  }
  pad(bytes);
  return bytes + data;
}

// numpy's format, version 1.0: magic, version, size of the header, the header (a Python dictionary, padded
// and ended by a newline), the values.
std::string npy_bytes(const at::Tensor& values) {
  std::string header = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
                                   values.size(0), values.size(1));
  const std::string magic("\x93NUMPY\x01\x00", 8);
  const std::size_t before = magic.size() + sizeof(std::uint16_t);
  const std::size_t end = (before + header.size() + 1 + kNpyAlignment - 1) / kNpyAlignment * kNpyAlignment;
  header.resize(end - before - 1, ' ');
  header += '\n';
  return magic + number(static_cast<std::uint16_t>(header.size())) + header + std::string(bytes_of(values));
}

}  // namespace

std::vector<std::int64_t> write_control_vector(const std::filesystem::path& path,
                                               const DirectionRows& direction,
                                               const std::string& model_hint) {
  const at::Tensor values = values_of(direction);
  const auto& numbers = direction.numbers;
  const auto placed = std::lower_bound(numbers.begin(), numbers.end(), kFirstRowWithAPlace);
  if (placed == numbers.end()) {
    throw InputError("llama.cpp's control vectors begin at row {}, and the direction has none from there on",
                     kFirstRowWithAPlace);
  }
  const std::int64_t first = placed - numbers.begin();
  write_checked(path, control_vector_bytes(values.narrow(0, first, values.size(0) - first),
                                           {placed, numbers.end()}, model_hint));
  return {numbers.begin(), placed};
}

void write_direction_npy(const std::filesystem::path& path, const DirectionRows& direction) {
  write_checked(path, npy_bytes(values_of(direction)));
}

void write_direction_safetensors(const std::filesystem::path& path, const DirectionRows& direction,
                                 const std::string& name) {
  const at::Tensor values = values_of(direction);
  write_safetensors(path, {{name, values}}, {{"rows", to_line(Json(direction.numbers))}});
  if (!at::equal(SafetensorsFile(path).tensor(name), values))
    throw RunError("{}: does not read as it was written", path.string());
}

}  // namespace hrt
