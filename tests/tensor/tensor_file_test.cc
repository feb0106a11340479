#include "hrt/tensor/tensor_file.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "data/scratch_folder.h"
#include "hrt/base/error.h"
#include "tensor/pt_bytes.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

const fs::path kData = fs::path(HRT_SOURCE_DIR) / "tests/tensor/data";

class AnyTensorFile : public ScratchFolder {
 protected:
  fs::path safetensors(const std::vector<NamedTensor>& tensors,
                       const std::string& name = "t.safetensors") const {
    write_safetensors(folder_ / name, tensors, {{"rows", "[0,1]"}});
    return folder_ / name;
  }
  void refuses(const fs::path& path, const std::string& message) const {
    EXPECT_THAT([&] { TensorFile{path}; }, ThrowsMessage<InputError>(HasSubstr(message)));
  }
};

TEST_F(AnyTensorFile, ReadsBothKindsAlike) {
  for (const char* extension : {".pt", ".safetensors"}) {
    const TensorFile file(kData / (std::string("shared") + extension));
    EXPECT_EQ(file.tensors().size(), 3U);
    EXPECT_EQ(file.layout("b").shape, (std::vector<std::int64_t>{2, 4, 2}));
    EXPECT_EQ(file.layout("b").strides, (std::vector<std::int64_t>{8, 2, 1}));
    EXPECT_TRUE(at::equal(file.tensor("b").flatten(), at::arange(9, 25, at::kFloat)));
    file.release("b");
    EXPECT_TRUE(file.has("b"));
    EXPECT_FALSE(file.has("d"));
    EXPECT_EQ(file.bytes(), fs::file_size(file.path()));
  }
}

TEST_F(AnyTensorFile, TheContentDecides) {
  fs::copy(kData / "bare.pt", folder_ / "bare.safetensors");
  EXPECT_EQ(TensorFile(folder_ / "bare.safetensors").only().name, "tensor");
  const TensorFile file(safetensors({{"a", at::zeros({2})}}, "a.pt"));
  EXPECT_EQ(file.only().name, "a");
  EXPECT_EQ(file.metadata().at("rows"), "[0,1]");
  // The size of this header begins with the byte that pickles begin with.
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
  const std::string padded = header + std::string(0x280 - header.size(), ' ');
  EXPECT_TRUE(TensorFile(write("b.pt", u64(padded.size()) + padded + "x")).has("a"));
}

TEST_F(AnyTensorFile, RefusesOtherContent) {
  refuses(write("x.txt", "some text"), "x.txt: neither a safetensors file nor one of torch.save (.pt)");
  refuses(write("x.txt", ""), "neither");
  refuses(write("x.bin", "some text"), "x.bin: not a file of torch.save");
  refuses(write("x.safetensors", "text"), "4 bytes are no safetensors file");
  refuses(write("x", "\x80\x03N."), "a bare pickle");
  refuses(kData / "legacy.pt", "torch's old format");
  refuses(folder_ / "absent.pt", "No such file");
  refuses(folder_, "not a regular file");
}

TEST_F(AnyTensorFile, ListsNamesNearestFirst) {
  const TensorFile file(
      safetensors({{"alpha", at::zeros({1})}, {"beta", at::zeros({1})}, {"gamma", at::zeros({1})}}));
  EXPECT_THAT([&] { file.tensor("gama"); },
              ThrowsMessage<InputError>(
                  HasSubstr("no tensor gama, did you mean gamma?; it holds gamma, alpha, beta")));
  EXPECT_THAT([&] { file.layout("x"); }, ThrowsMessage<InputError>(HasSubstr("it holds alpha, beta, gamma")));
  EXPECT_THAT([&] { file.only(); },
              ThrowsMessage<InputError>(HasSubstr("holds 3 tensors, say which one: alpha, beta, gamma")));
}

TEST_F(AnyTensorFile, ListsNoMoreNamesThanFit) {
  std::vector<NamedTensor> many;
  for (int i = 0; i < 40; ++i) many.push_back({fmt::format("layer\x1b{}", i), at::zeros({1})});
  EXPECT_THAT(
      [&] { TensorFile(safetensors(many)).only(); },
      ThrowsMessage<InputError>(AllOf(HasSubstr("layer\\x1b11 and 28 more"), Not(HasSubstr("\x1b")))));
  EXPECT_THAT([&] { TensorFile(safetensors({})).only(); },
              ThrowsMessage<InputError>(HasSubstr("holds no tensor")));
}

}  // namespace
}  // namespace hrt
