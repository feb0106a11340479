#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <gtest/gtest.h>

#include "hrt/base/json.h"
#include "hrt/tensor/tensor_file.h"
#include "test_data.h"

// The tensors that the papers' authors released.

namespace hrt {
namespace {

namespace fs = std::filesystem;

class GoldensReleased : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(zhao_) || !fs::is_directory(arditi_)) GTEST_SKIP() << "no released tensors here";
  }
  const fs::path zhao_ = large_test_data() / "zhao2025";
  const fs::path arditi_ = large_test_data() / "arditi2024";
};

TEST_F(GoldensReleased, AllOfZhao2025AreRead) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(zhao_)) {
    if (entry.path().extension() != ".pt") continue;
    const TensorFile file(entry.path());
    const TensorLayout& layout = file.only();
    EXPECT_EQ(layout.dtype, at::kHalf) << entry.path();
    EXPECT_EQ(layout.shape.back(), layout.shape.front() == 29 ? 3584 : 4096) << entry.path();
    EXPECT_TRUE(file.tensor(layout.name).isfinite().all().item<bool>()) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 19);
}

TEST_F(GoldensReleased, ViewsOfZhao2025KeepTheirStrides) {
  for (const char* name : {"hf", "hl", "refuse", "accept"}) {
    const TensorFile file(zhao_ / (std::string("qwen-") + name + "-cls-all-layer.pt"));
    EXPECT_EQ(file.only().shape, (std::vector<std::int64_t>{29, 3584}));
    EXPECT_EQ(file.only().strides, (std::vector<std::int64_t>{25088, 1}));
  }
}

TEST_F(GoldensReleased, DirectionsOfArditi2024AreTheChosenMeanDifferences) {
  int models = 0;
  for (const auto& entry : fs::directory_iterator(arditi_)) {
    const std::string name = entry.path().filename().string();
    const std::size_t end = name.find(".direction.pt");
    if (end == std::string::npos) continue;
    const std::string model = name.substr(0, end);
    const Json chosen = read_json(arditi_ / (model + ".selection.json")).at("chosen");
    const at::Tensor direction = TensorFile(entry.path()).tensor("tensor");
    const at::Tensor candidates = TensorFile(arditi_ / (model + ".mean_diffs.pt")).tensor("tensor");
    EXPECT_EQ(direction.scalar_type(), at::kDouble);
    const auto position = chosen.at("position").get<std::int64_t>();
    EXPECT_TRUE(at::equal(direction,
                          candidates.select(0, position).select(0, chosen.at("layer").get<std::int64_t>())))
        << model;
    ++models;
  }
  EXPECT_EQ(models, 2);
}

}  // namespace
}  // namespace hrt
