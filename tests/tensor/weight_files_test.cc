#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "data/scratch_folder.h"
#include "hrt/base/error.h"
#include "hrt/tensor/safetensors.h"
#include "hrt/tensor/weight_files.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr const char* kFirst = "model-00001-of-00002.safetensors";
constexpr const char* kSecond = "model-00002-of-00002.safetensors";

class Weights : public ScratchFolder {
 protected:
  void write_pieces() const {
    write_safetensors(folder_ / kFirst, {{"b", at::arange(2, at::kFloat)}, {"c", at::zeros({1})}});
    write_safetensors(folder_ / kSecond, {{"a", at::arange(3, at::kFloat)}});
  }
  void write_index(const std::string& weight_map) const {
    write("model.safetensors.index.json", R"({"metadata": {}, "weight_map": )" + weight_map + "}");
  }
  void refuses(const std::string& message) const {
    EXPECT_THAT([&] { WeightFiles{folder_}; }, ThrowsMessage<InputError>(HasSubstr(message)));
  }
  static std::string map_of(const std::string& b, const std::string& c, const std::string& a) {
    return R"({"b": ")" + b + R"(", "c": ")" + c + R"(", "a": ")" + a + "\"}";
  }
};

TEST_F(Weights, ReadsOneFile) {
  write_safetensors(folder_ / "model.safetensors", {{"x", at::arange(2, at::kFloat)}});
  const WeightFiles weights(folder_);
  EXPECT_TRUE(at::equal(weights.tensor("x"), at::arange(2, at::kFloat)));
  EXPECT_EQ(weights.find("y"), nullptr);
  EXPECT_THAT([&] { weights.tensor("y"); }, ThrowsMessage<InputError>(HasSubstr("no tensor y")));
}

TEST_F(Weights, ReadsPiecesInOrderOfName) {
  write_pieces();
  write_index(map_of(kFirst, kFirst, kSecond));
  const WeightFiles weights(folder_);
  ASSERT_EQ(weights.tensors().size(), 3U);
  EXPECT_EQ(weights.tensors()[0].name, "a");
  EXPECT_EQ(weights.file_of("a").filename(), kSecond);
  EXPECT_EQ(weights.file_of("b").filename(), kFirst);
  EXPECT_TRUE(at::equal(weights.tensor("a"), at::arange(3, at::kFloat)));
  weights.release("a");
  EXPECT_TRUE(at::equal(weights.tensor("a"), at::arange(3, at::kFloat)));
}

// As torch saved them, a transposed view among them.
TEST_F(Weights, ReadsTorchsFilesContiguously) {
  const fs::path saved = fs::path(HRT_SOURCE_DIR) / "tests/tensor/data";
  fs::copy_file(saved / "transposed.pt", folder_ / "pytorch_model.bin");
  const WeightFiles weights(folder_);
  const SafetensorsFile expected(saved / "transposed.safetensors");
  EXPECT_TRUE(weights.tensor("t").is_contiguous());
  EXPECT_TRUE(at::equal(weights.tensor("t"), expected.tensor("t")));
  EXPECT_EQ(weights.file_of("t").filename(), "pytorch_model.bin");
  weights.release("t");
  EXPECT_TRUE(at::equal(weights.tensor("t"), expected.tensor("t")));
}

TEST_F(Weights, SafetensorsGoBeforeTorchsFiles) {
  write_safetensors(folder_ / "model.safetensors", {{"x", at::arange(2, at::kFloat)}});
  write("pytorch_model.bin", "not read");
  EXPECT_NE(WeightFiles(folder_).find("x"), nullptr);
}

TEST_F(Weights, RefusesAFolderWithoutWeights) {
  refuses("none of model.safetensors, model.safetensors.index.json, pytorch_model.bin");
}

TEST_F(Weights, RefusesPiecesOutsideTheFolder) {
  write_pieces();
  for (const std::string name : {"../x.safetensors", "/etc/passwd", "sub/x.safetensors", "", "./x"}) {
    write_index(map_of(kFirst, kFirst, name));
    refuses("expected a file in the same folder");
  }
  write_index(map_of(kFirst, kFirst, ".."));
  refuses("not a regular file");
}

TEST_F(Weights, RefusesAMissingPiece) {
  write_pieces();
  write_index(map_of(kFirst, kFirst, "model-3.safetensors"));
  refuses("weight_map names model-3.safetensors, which is not in the folder");
}

TEST_F(Weights, RefusesATensorThatIsNotWhereTheIndexSays) {
  write_pieces();
  write_index(map_of(kFirst, kSecond, kSecond));
  refuses("/weight_map says that c is in model-00002-of-00002.safetensors, but it is not");
  write_index(R"({"b": "model-00001-of-00002.safetensors", "d": "model-00002-of-00002.safetensors"})");
  refuses("says that d is in");
}

TEST_F(Weights, RefusesATensorInTwoPieces) {
  write_pieces();
  write_safetensors(folder_ / kSecond, {{"a", at::zeros({1})}, {"b", at::zeros({2})}});
  write_index(map_of(kFirst, kFirst, kSecond));
  refuses("tensor b stands in another piece too");
}

TEST_F(Weights, RefusesABrokenIndex) {
  write_pieces();
  write_index("{}");
  refuses("/weight_map is empty");
  write_index("[]");
  refuses("/weight_map must be an object");
  write_index(R"({"a": 1})");
  refuses("/weight_map/a must be the name of a file");
  write("model.safetensors.index.json", R"({"weight_map": )");
  refuses("index.json:1:15: not valid JSON");
}

}  // namespace
}  // namespace hrt
