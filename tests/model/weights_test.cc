#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <tuple>

#include "golden.h"
#include "hrt/base/error.h"
#include "hrt/model/memory.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

// Copies a tiny checkpoint to `folder`, with one value of one tensor changed.
void write_spoiled(const std::filesystem::path& folder, const std::string& tensor, float value,
                   const std::string& model = "llama-bias") {
  const std::filesystem::path source = test::goldens_folder() / model;
  std::filesystem::copy_file(source / "config.json", folder / "config.json",
                             std::filesystem::copy_options::overwrite_existing);
  const SafetensorsFile file(source / "model.safetensors");
  std::vector<NamedTensor> tensors;
  for (const TensorInfo& info : file.tensors()) {
    at::Tensor copy = file.tensor(info.name).clone();
    if (info.name == tensor) copy.view({-1})[copy.numel() - 1] = value;
    tensors.push_back({info.name, copy});
  }
  write_safetensors(folder / "model.safetensors", tensors);
}

TEST(Weights, NonFiniteOnesAreRefusedByName) {
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    const TemporaryFolder folder;
    write_spoiled(folder.path(), name, value);
    const Checkpoint checkpoint(folder.path());
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      try {
        const Decoder decoder(checkpoint, {.device = at::kCPU, .dtype = dtype, .progress = {}});
        FAIL() << "loaded";
      } catch (const InputError& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr(name));
        EXPECT_THAT(error.what(), testing::HasSubstr("model.safetensors"));
      }
    }
  }
}

// What refuses the checkpoint when it is opened and loaded.
std::string refusal_of(const std::filesystem::path& folder) {
  try {
    const Checkpoint checkpoint(folder);
    const Decoder decoder(checkpoint, {.device = at::kCPU, .dtype = at::kFloat, .progress = {}});
    return "nothing: it was loaded";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(Weights, NonFiniteOnesOfExpertsAreRefusedByName) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::tuple<const char*, const char*, float> cases[] = {
      {"qwen2-moe", "model.layers.1.mlp.experts.5.up_proj.weight", infinity},
      {"gpt-oss-bare", "model.layers.2.mlp.experts.gate_up_proj", infinity},
      {"gpt-oss-bare", "model.layers.2.mlp.experts.down_proj_bias", infinity},
      {"gpt-oss-hub", "model.layers.0.mlp.experts.down_proj_scales", 255}};
  for (const auto& [model, tensor, value] : cases) {
    const TemporaryFolder folder;
    write_spoiled(folder.path(), tensor, value, model);
    EXPECT_THAT(refusal_of(folder.path()),
                testing::AllOf(testing::HasSubstr(tensor), testing::HasSubstr("holds NaN or infinity")));
  }
}

TEST(Weights, Mxfp4MustBeBytes) {
  const TemporaryFolder folder;
  const std::filesystem::path source = test::goldens_folder() / "gpt-oss-hub";
  std::filesystem::copy_file(source / "config.json", folder.path() / "config.json");
  const SafetensorsFile file(source / "model.safetensors");
  std::vector<NamedTensor> tensors;
  for (const TensorInfo& info : file.tensors()) {
    const at::Tensor tensor = file.tensor(info.name);
    tensors.push_back({info.name, info.name.ends_with("_scales") ? tensor.to(at::kFloat) : tensor});
  }
  write_safetensors(folder.path() / "model.safetensors", tensors);
  EXPECT_THAT(refusal_of(folder.path()), testing::HasSubstr("_proj_scales is F32, expected U8"));
}

TEST(Weights, AreCountedAsEstimated) {
  for (const std::string& name : test::golden_names()) {
    const test::TinyModel model(name);
    EXPECT_EQ(model.decoder.weight_bytes(), weight_bytes(model.decoder.spec(), at::kFloat)) << name;
    EXPECT_EQ(model.decoder.weight_bytes(), 4 * model.checkpoint.parameters()) << name;
  }
}

// The root mean square of |a - b| / |b| over the vectors in the last dimension.
double typical_difference(const std::vector<JobResult>& results, const std::vector<test::Golden>& goldens) {
  double sum = 0;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const at::Tensor expected = goldens[i].rows.to(at::kDouble);
    const at::Tensor error = results[i].rows.to(at::kDouble).sub(expected).norm(2, {-1});
    sum += error.div(expected.norm(2, {-1})).square().sum().item<double>();
    count += error.numel();
  }
  return std::sqrt(sum / static_cast<double>(count));
}

// Half precision on tiny checkpoints, where bfloat16 runs on ATen's operators: no parity to the last digit,
// but the same rows within its rounding. transformers' own bfloat16 differs from its float32 by 0.0055 to
// 0.0167 so, and by more where rounding chooses other experts.
TEST(Weights, HalfPrecisionStaysNear) {
  for (const std::string& name : test::golden_names()) {
    for (const at::ScalarType dtype : {at::kBFloat16, at::kHalf}) {
      const test::TinyModel model(name, dtype);
      const double tolerance = dtype == at::kHalf ? 0.001 : 1.5 * model.bfloat16_difference;
      const std::vector<JobResult> results = run_jobs(model.decoder, model.jobs(), model.everything());
      EXPECT_EQ(results.front().rows.scalar_type(), dtype);
      EXPECT_LE(typical_difference(results, model.goldens), tolerance) << name;
    }
  }
}

}  // namespace
}  // namespace hrt
