#include "golden.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace hrt::test {

namespace {

std::vector<std::int64_t> to_vector(const at::Tensor& tensor) {
  const auto* data = tensor.const_data_ptr<std::int64_t>();
  return {data, data + tensor.numel()};
}

std::vector<Golden> read_goldens(const std::filesystem::path& folder) {
  const SafetensorsFile file(folder / "golden.safetensors");
  std::vector<Golden> goldens;
  for (int i = 0; file.find(fmt::format("prompt.{}.tokens", i)) != nullptr; ++i) {
    const auto tensor = [&](const char* key) {
      return file.tensor(fmt::format("prompt.{}.{}", i, key)).clone();
    };
    goldens.push_back({.tokens = to_vector(tensor("tokens")),
                       .index = to_vector(tensor("index")),
                       .rows = tensor("rows").transpose(0, 1).contiguous(),
                       .logits = tensor("logits"),
                       .reply = to_vector(tensor("reply"))});
  }
  return goldens;
}

// Stored where experts are chosen; elsewhere the largest of all.
double read_bfloat16_difference(const std::filesystem::path& folder) {
  constexpr double kLargest = 0.0167;
  constexpr const char* kName = "bfloat16.difference";
  const SafetensorsFile file(folder / "golden.safetensors");
  return file.find(kName) == nullptr ? kLargest : file.tensor(kName).item<double>();
}

}  // namespace

std::filesystem::path goldens_folder() {
  return std::filesystem::path(HRT_SOURCE_DIR) / "tests" / "model" / "goldens";
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(goldens_folder())) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

TinyModel::TinyModel(const std::string& name, at::ScalarType dtype)
    : checkpoint(goldens_folder() / name),
      decoder(checkpoint, {.device = at::kCPU, .dtype = dtype, .progress = {}}),
      goldens(read_goldens(goldens_folder() / name)),
      bfloat16_difference(read_bfloat16_difference(goldens_folder() / name)) {}

std::vector<Job> TinyModel::jobs() const {
  std::vector<Job> jobs;
  for (const Golden& golden : goldens) {
    jobs.push_back({.tokens = golden.tokens,
                    .capture = golden.index,
                    .max_new_tokens = static_cast<std::int64_t>(golden.reply.size())});
  }
  return jobs;
}

EngineOptions TinyModel::everything() const {
  EngineOptions options;
  options.rows.resize(static_cast<std::size_t>(decoder.spec().layers + 1));
  std::iota(options.rows.begin(), options.rows.end(), 0);
  options.logits = true;
  return options;
}

double worst_difference(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble);
  const at::Tensor y = b.to(at::kDouble);
  return x.sub(y).norm(2, {-1}).div(y.norm(2, {-1})).max().item<double>();
}

}  // namespace hrt::test
