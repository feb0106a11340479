#include "hrt/tensor/safetensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "data/scratch_folder.h"
#include "hrt/base/error.h"
#include "tensor/safetensors_bytes.h"

namespace hrt {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

class Safetensors : public ScratchFolder {
 protected:
  std::filesystem::path path() const { return folder_ / "t.safetensors"; }
};

TEST_F(Safetensors, RoundTripOfEveryDtype) {
  const std::vector<at::ScalarType> dtypes{at::kDouble,        at::kFloat,       at::kHalf, at::kBFloat16,
                                           at::kFloat8_e4m3fn, at::kLong,        at::kInt,  at::kShort,
                                           at::kChar,          at::kFloat8_e5m2, at::kByte, at::kUInt16,
                                           at::kUInt32,        at::kUInt64,      at::kBool};
  std::vector<NamedTensor> tensors;
  for (const at::ScalarType dtype : dtypes) {
    // Odd sizes: most of these tensors are not aligned in the file.
    tensors.push_back({safetensors_dtype(dtype), at::arange(3, at::kFloat).reshape({1, 3}).to(dtype)});
  }
  write_safetensors(path(), tensors, {{"format", "pt"}, {"note", "\u00e9 \"quoted\"\n"}});
  const SafetensorsFile file(path());
  EXPECT_EQ(file.metadata(), (Metadata{{"format", "pt"}, {"note", "\u00e9 \"quoted\"\n"}}));
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const NamedTensor& named : tensors) {
    const at::Tensor read = file.tensor(named.name);
    EXPECT_EQ(read.scalar_type(), named.tensor.scalar_type());
    EXPECT_EQ(read.sizes(), named.tensor.sizes());
    EXPECT_TRUE(at::equal(read.to(at::kDouble), named.tensor.to(at::kDouble))) << named.name;
  }
}

TEST_F(Safetensors, RoundTripOfOddShapes) {
  const at::Tensor transposed = at::arange(6, at::kFloat).reshape({2, 3}).t();
  write_safetensors(path(),
                    {{"scalar", at::full({}, 7.0)}, {"empty", at::zeros({2, 0, 3})}, {"t", transposed}});
  const SafetensorsFile file(path());
  EXPECT_EQ(file.tensor("scalar").item<double>(), 7.0);
  EXPECT_EQ(file.tensor("empty").sizes(), (at::IntArrayRef{2, 0, 3}));
  EXPECT_TRUE(at::equal(file.tensor("t"), transposed));
  EXPECT_EQ(file.find("absent"), nullptr);
  EXPECT_THAT([&] { file.tensor("scalr"); }, ThrowsMessage<InputError>(HasSubstr("did you mean scalar?")));
}

TEST_F(Safetensors, TensorsOutliveTheirFile) {
  write_safetensors(path(), {{"a", at::arange(4, at::kFloat)}});
  at::Tensor tensor;
  {
    const SafetensorsFile file(path());
    tensor = file.tensor("a");
    file.release(*file.find("a"));
  }
  EXPECT_EQ(tensor[3].item<float>(), 3.0F);
}

TEST_F(Safetensors, AcceptsWhatOtherWritersDo) {
  const SafetensorsFile spaces(write(
      "s.safetensors", safetensors_bytes(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   )", 2)));
  EXPECT_EQ(spaces.tensor("a").numel(), 2);
  const SafetensorsFile none(write("n.safetensors", safetensors_bytes("{}", 0)));
  EXPECT_TRUE(none.tensors().empty());
  const std::string out_of_order = R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},)"
                                   R"("a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
  const SafetensorsFile file(write("o.safetensors", safetensors_bytes(out_of_order, 3)));
  EXPECT_EQ(file.tensors().front().name, "a");
}

struct BadFile {
  std::string name;
  std::string bytes;
  std::string message;
};

void PrintTo(const BadFile& file, std::ostream* out) { *out << file.name; }

std::string one(const std::string& entry, std::size_t data) {
  return safetensors_bytes("{\"a\":" + entry + "}", data);
}

std::string two(const std::string& first, const std::string& second, std::size_t data) {
  return safetensors_bytes(R"({"a":{"dtype":"U8",)" + first + R"(},"b":{"dtype":"U8",)" + second + "}}",
                           data);
}

std::string header_of_size(std::uint64_t size) {
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  return bytes + R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
}

const std::vector<BadFile>& bad_files() {
  static const std::vector<BadFile> files{
      {"Empty", "", "0 bytes are no safetensors file"},
      {"ShorterThanItsHeaderSize", "1234567", "7 bytes are no safetensors file"},
      {"HeaderOf2To63", header_of_size(std::uint64_t{1} << 63), "header of 9223372036854775808 bytes"},
      {"HeaderOfAllOnes", header_of_size(~std::uint64_t{0}), "header of 18446744073709551615 bytes"},
      {"HeaderPastTheEnd", header_of_size(54), "header of 54 bytes in a file of 61"},
      {"HeaderCutShort", header_of_size(52), "not valid JSON"},
      {"PointerOfGitLfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
       "git lfs pull brings them"},
      {"HeaderOfNothing", safetensors_bytes("", 0), "not valid JSON"},
      {"HeaderIsAList", safetensors_bytes("[]", 0), "must be an object"},
      {"TruncatedData", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 7), "truncated?"},
      {"DataAfterTheEnd", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})", 9),
       "1 bytes after the last"},
      {"Overlap", two(R"("shape":[2],"data_offsets":[0,2])", R"("shape":[2],"data_offsets":[1,3])", 3),
       "overlap"},
      {"SameBytesTwice", two(R"("shape":[2],"data_offsets":[0,2])", R"("shape":[2],"data_offsets":[0,2])", 2),
       "overlap"},
      {"Hole", two(R"("shape":[2],"data_offsets":[0,2])", R"("shape":[2],"data_offsets":[3,5])", 5),
       "a hole"},
      {"HoleInFront", one(R"({"dtype":"U8","shape":[1],"data_offsets":[1,2]})", 2), "a hole"},
      {"ShapeIsNotTheSpan", one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", 8),
       "does not fit its 8 bytes"},
      {"DtypeIsNotTheSpan", one(R"({"dtype":"F64","shape":[2],"data_offsets":[0,8]})", 8),
       "does not fit its 8 bytes"},
      {"ShapeOverflowsToItsSpan",
       one(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})", 0), "does not fit"},
      {"ShapeOverflowsBehindAZero",
       one(R"({"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]})", 0), "does not fit"},
      {"ShapeBeyond64Bits", one(R"({"dtype":"F32","shape":[18446744073709551617],"data_offsets":[0,4]})", 4),
       "expected sizes"},
      {"NegativeShape", one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", 4),
       "holds -1, expected sizes"},
      {"FractionalShape", one(R"({"dtype":"F32","shape":[1.0],"data_offsets":[0,4]})", 4), "expected sizes"},
      {"ShapeIsText", one(R"({"dtype":"F32","shape":"1","data_offsets":[0,4]})", 4),
       "/a/shape must be a list"},
      {"NoShape", one(R"({"dtype":"F32","data_offsets":[0,4]})", 4), "/a/shape must be a list"},
      {"TooManyDimensions",
       one(R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]})", 1),
       "at most 16"},
      {"OffsetsBackwards", one(R"({"dtype":"U8","shape":[1],"data_offsets":[1,0]})", 1), "spans bytes 1..0"},
      {"OffsetBeyond63Bits", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551615]})", 1),
       "spans bytes 0..18446744073709551615"},
      {"NegativeOffset", one(R"({"dtype":"U8","shape":[1],"data_offsets":[-1,0]})", 1),
       "must be two byte offsets"},
      {"ThreeOffsets", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1,2]})", 2),
       "must be two byte offsets"},
      {"NoOffsets", one(R"({"dtype":"U8","shape":[1]})", 1), "must be two byte offsets"},
      {"UnknownDtype", one(R"({"dtype":"F31","shape":[1],"data_offsets":[0,4]})", 4),
       "unknown dtype \"F31\""},
      {"NoDtype", one(R"({"shape":[1],"data_offsets":[0,4]})", 4), "/a/dtype is missing"},
      {"EntryIsNoObject", one("[]", 0), "/a must be an object"},
      {"DuplicateName",
       safetensors_bytes(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                         R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                         2),
       "duplicate key \"a\""},
      {"MetadataOfNumbers", safetensors_bytes(R"({"__metadata__":{"n":1}})", 0),
       "/__metadata__/n must be a string"},
      {"MetadataIsAList", safetensors_bytes(R"({"__metadata__":[]})", 0), "/__metadata__ must be an object"},
      {"BrokenUtf8", one("{\"dtype\":\"\xff\"}", 0), "not valid UTF-8"},
      {"NestedTooDeep", safetensors_bytes(std::string(1000, '['), 0), "levels deep"},
      {"EscapesInNames",
       safetensors_bytes("{\"a\\u001b[31m\":{\"dtype\":\"F31\",\"shape\":[],\"data_offsets\":[0,0]}}", 0),
       "/a\\x1b[31m/dtype"},
  };
  return files;
}

class BadSafetensors : public ScratchFolder, public ::testing::WithParamInterface<BadFile> {};

TEST_P(BadSafetensors, IsRefusedByName) {
  const std::filesystem::path file = write("bad.safetensors", GetParam().bytes);
  EXPECT_THAT([&] { SafetensorsFile{file}; },
              ThrowsMessage<InputError>(AllOf(StartsWith(file.string()), HasSubstr(GetParam().message))));
}

INSTANTIATE_TEST_SUITE_P(Files, BadSafetensors, ::testing::ValuesIn(bad_files()),
                         [](const auto& test) { return test.param.name; });

class Writer : public Safetensors {
 protected:
  // Two tensors: a float32 [3, 2] and b int64 [2].
  SafetensorsWriter writer_{folder_ / "t.safetensors", {{"a", at::kFloat, {3, 2}}, {"b", at::kLong, {2}}}};
};

TEST_F(Writer, TakesTensorsInSlices) {
  const at::Tensor a = at::arange(6, at::kFloat).reshape({3, 2});
  writer_.append(a.narrow(0, 0, 2));
  writer_.append(a.narrow(0, 2, 0));
  writer_.append(a.narrow(0, 2, 1));
  EXPECT_FALSE(std::filesystem::exists(path()));
  writer_.append(at::arange(2, at::kLong));
  writer_.commit();
  EXPECT_TRUE(at::equal(SafetensorsFile(path()).tensor("a"), a));
  EXPECT_TRUE(at::equal(SafetensorsFile(path()).tensor("b"), at::arange(2, at::kLong)));
}

TEST_F(Writer, RefusesWhatWasNotDeclaredNext) {
  EXPECT_THROW(writer_.append(at::zeros({3, 2}, at::kDouble)), RunError);
  EXPECT_THROW(writer_.append(at::zeros({4, 2}, at::kFloat)), RunError);
  writer_.append(at::zeros({3, 2}, at::kFloat));
  EXPECT_THAT([&] { writer_.commit(); }, ThrowsMessage<RunError>("16 bytes of tensor b are missing"));
  writer_.append(at::zeros({2}, at::kLong));
  EXPECT_THROW(writer_.append(at::zeros({1}, at::kLong)), RunError);
}

TEST_F(Safetensors, WritesEmptyTensorsAndNone) {
  SafetensorsWriter writer(path(), {{"none", at::kFloat, {0, 4}}});
  writer.commit();
  EXPECT_EQ(SafetensorsFile(path()).tensor("none").sizes(), (at::IntArrayRef{0, 4}));
  write_safetensors(path(), {});
  EXPECT_TRUE(SafetensorsFile(path()).tensors().empty());
}

TEST_F(Safetensors, RefusesToWriteWhatTheFormatLacks) {
  EXPECT_THAT(
      [&] {
        write_safetensors(path(), {{"c", at::zeros({1}, at::kComplexFloat)}});
      },
      ThrowsMessage<InputError>(HasSubstr("no dtype for ComplexFloat")));
  EXPECT_THROW(SafetensorsWriter(path(), {{"huge", at::kFloat, {std::int64_t{1} << 61, 2}}}), RunError);
  EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace hrt
