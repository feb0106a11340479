#include "hrt/experiment/direction_source.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <limits>

#include "hrt/base/error.h"
#include "hrt/tensor/safetensors.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::int64_t kLayers = 3;
constexpr std::int64_t kHidden = 4;

at::Tensor numbered(std::int64_t rows) {
  return at::arange(rows * kHidden, at::kFloat).view({rows, kHidden});
}

class DirectionSourceTest : public ::testing::Test {
 protected:
  DirectionSourceTest() {
    write_safetensors(folder_ / "directions.safetensors",
                      {{"harmfulness", numbered(4)}, {"harmfulness:fraud", numbered(4) + 100}},
                      {{"rows", "[0,1,2,3]"}});
    write_safetensors(folder_ / "centroids.safetensors", {{"harmless.t_inst", numbered(4)}},
                      {{"rows", "[0,1,2,3]"}});
    write_safetensors(folder_ / "some.safetensors", {{"v", numbered(2)}}, {{"rows", "[1,3]"}});
    write_safetensors(folder_ / "one.safetensors", {{"v", numbered(1)[0].clone()}});
    write_safetensors(folder_ / "wide.safetensors", {{"v", at::full({4, 5}, 1.0F)}});
    write_safetensors(folder_ / "short.safetensors", {{"v", numbered(3)}});
    write_safetensors(folder_ / "deep.safetensors", {{"v", numbered(2)}}, {{"rows", "[1,4]"}});
    write_safetensors(folder_ / "nan.safetensors",
                      {{"v", at::full({4}, std::numeric_limits<float>::quiet_NaN())}});
  }

  float first(const std::string& name, std::int64_t row) const {
    return DirectionSource(folder_ / ".", kLayers, kHidden).vector(name, row)[0].item<float>();
  }
  std::string in(const char* file) const { return std::string(folder_ / file) + ":v"; }

  const TemporaryFolder folder_;
};

TEST_F(DirectionSourceTest, GivesARunsRowsByTheirNumbers) {
  EXPECT_EQ(first("harmfulness", 2), 8);
  EXPECT_EQ(first("harmfulness:fraud", 0), 100);
  EXPECT_EQ(first(in("some.safetensors"), 3), 4);
  EXPECT_EQ(first(in("one.safetensors"), 2), 0);
  EXPECT_EQ(first(folder_ / "one.safetensors", 1), 0);  // the only tensor needs no name
  const DirectionSource source(folder_ / ".", kLayers, kHidden);
  EXPECT_EQ(source.centroid("harmless.t_inst", 1)[0].item<float>(), 4);
}

TEST_F(DirectionSourceTest, RefusesWhatDoesNotFit) {
  const auto refused = [&](const std::string& name, std::int64_t row, const char* message) {
    EXPECT_THAT([&] { first(name, row); }, ThrowsMessage<InputError>(HasSubstr(message))) << name;
  };
  refused("refusal", 0, "harmfulness");  // the names there are
  refused(in("some.safetensors"), 2, "has no row 2 (rows: [1,3])");
  refused(in("wide.safetensors"), 0, "expected [rows, 4] or [4]");
  refused(folder_ / "wide.safetensors", 0, "wide.safetensors: has shape [4,5]");
  refused(in("short.safetensors"), 0,
          "v: has 3 rows, expected 4 for this model, of the embedding and its 3 layers");
  refused(in("deep.safetensors"), 1, "v: has row 4, this model's rows are 0..3");
  refused(in("nan.safetensors"), 0, "NaN");
  refused(in("absent.safetensors"), 0, "absent.safetensors");
}

TEST(RandomDirection, IsAUnitVectorOfItsSeedAndRow) {
  const at::Tensor vector = random_direction(1, 2, 1000);
  EXPECT_NEAR(vector.norm().item<double>(), 1, 1e-5);
  EXPECT_TRUE(vector.equal(random_direction(1, 2, 1000)));
  EXPECT_LT(std::abs(vector.dot(random_direction(2, 2, 1000)).item<double>()), 0.2);
  EXPECT_LT(std::abs(vector.dot(random_direction(1, 3, 1000)).item<double>()), 0.2);
}

}  // namespace
}  // namespace hrt
