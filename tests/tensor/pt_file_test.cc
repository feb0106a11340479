#include "hrt/tensor/pt_file.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include <limits>

#include "data/scratch_folder.h"
#include "hrt/base/error.h"
#include "tensor/pt_bytes.h"
#include "zip_archive.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;
using ::testing::UnorderedElementsAre;

// Written by tools/dev/make_pt_files.py: NAME.pt by torch.save, NAME.safetensors with the same tensors.
const fs::path kData = fs::path(HRT_SOURCE_DIR) / "tests/tensor/data";

std::vector<std::string> saved_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kData))
    if (entry.path().extension() == ".safetensors") names.push_back(entry.path().stem());
  return names;
}

class SavedByTorch : public ::testing::TestWithParam<std::string> {};

TEST_P(SavedByTorch, GivesTheSameTensors) {
  const PtFile file(kData / (GetParam() + ".pt"));
  const SafetensorsFile expected(kData / (GetParam() + ".safetensors"));
  EXPECT_EQ(file.tensors().size(), expected.tensors().size());
  for (const TensorInfo& info : expected.tensors()) {
    const TensorLayout* layout = file.find(info.name);
    ASSERT_NE(layout, nullptr) << info.name;
    EXPECT_EQ(layout->dtype, info.dtype) << info.name;
    EXPECT_EQ(layout->shape, info.shape) << info.name;
    const at::Tensor tensor = file.tensor(info.name);
    EXPECT_EQ(tensor.strides().vec(), layout->strides) << info.name;
    // Not every dtype can be compared as it is.
    EXPECT_TRUE(at::equal(tensor.to(at::kDouble), expected.tensor(info.name).to(at::kDouble))) << info.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, SavedByTorch, ::testing::ValuesIn(saved_names()),
                         [](const auto& test) { return test.param; });

TEST(PtFile, KeepsStrides) {
  const PtFile window(kData / "window.pt");
  EXPECT_EQ(window.find("tensor")->strides, (std::vector<std::int64_t>{8, 1}));
  const PtFile file(kData / "transposed.pt");
  EXPECT_EQ(file.find("t")->strides, (std::vector<std::int64_t>{1, 3}));
  EXPECT_EQ(file.find("expanded")->strides, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(PtFile(kData / "numpy_shapes.pt").find("fortran")->strides, (std::vector<std::int64_t>{1, 2, 6}));
}

TEST(PtFile, ScalarsOfDictionariesAreMetadata) {
  EXPECT_THAT(PtFile(kData / "containers.pt").metadata(),
              UnorderedElementsAre(Pair("layer", "12"), Pair("rate", "0.5"), Pair("trained", "true"),
                                   Pair("note", "\u00e9t\u00e9"), Pair("negative", "-1099511627776")));
}

TEST(PtFile, TensorsOutliveTheirFile) {
  at::Tensor tensor;
  at::Tensor array;
  {
    const PtFile file(kData / "shared.pt");
    tensor = file.tensor("b");
    file.release("b");
    array = PtFile(kData / "numpy.pt").tensor("tensor");
  }
  EXPECT_EQ(tensor[0][0][0].item<float>(), 9.0F);
  EXPECT_EQ(array[1][2].item<float>(), 6.0F);
}

TEST(PtFile, NamesWhatIsAbsent) {
  const PtFile file(kData / "transposed.pt");
  EXPECT_EQ(file.find("absent"), nullptr);
  EXPECT_THAT([&] { file.tensor("ofset"); }, ThrowsMessage<InputError>(HasSubstr("did you mean offset?")));
  EXPECT_NO_THROW(file.release("absent"));
}

TEST(PtFile, RefusesTheOldFormat) {
  EXPECT_THAT([&] { PtFile{kData / "legacy.pt"}; },
              ThrowsMessage<InputError>(HasSubstr("legacy.pt: torch's old format, which hrt does not read; "
                                                  "load it in Python and torch.save it again")));
}

class PtBytes : public ScratchFolder {
 protected:
  // A new file each time: many file systems flush what replaces an older one, and these tests write
  // thousands.
  fs::path write_fresh(const std::string& bytes) const {
    fs::remove(folder_ / "x.pt");
    return write("x.pt", bytes);
  }
  PtFile open(const std::string& bytes) const { return PtFile(write_fresh(bytes)); }
  void refuses(const std::string& bytes, const std::string& message) const {
    EXPECT_THAT([&] { open(bytes); }, ThrowsMessage<InputError>(HasSubstr(message)));
  }
};

std::string floats(std::int64_t count) {
  const at::Tensor values = at::arange(count, at::kFloat);
  return {static_cast<const char*>(values.const_data_ptr()), values.nbytes()};
}

TEST_F(PtBytes, StoragesOfAnyDevice) {
  for (const std::string location : {"cpu", "cuda:0", "mps", "xla:1"}) {
    const std::string storage = ops::storage("FloatStorage", "0", 6, location);
    const PtFile file =
        open(pt_bytes(ops::kStart + ops::tensor(storage, 1, {2}, {2}) + ops::kStop, {floats(6)}));
    EXPECT_TRUE(at::equal(file.tensor("tensor"), at::arange(1, 5, 2, at::kFloat))) << location;
  }
}

TEST_F(PtBytes, ElementsNeedNotBeAligned) {
  const std::string pickle =
      ops::kStart + ops::tensor(ops::storage("FloatStorage", "0", 4), 1, {3}, {1}) + ops::kStop;
  for (std::size_t padding = 0; padding < 4; ++padding) {
    const PtFile file = open(zip_bytes(
        {{"x/data.pkl", pickle}, {"x/" + std::string(1 + padding, 'p'), ""}, {"x/data/0", floats(4)}}));
    EXPECT_TRUE(at::equal(file.tensor("tensor"), at::arange(1, 4, at::kFloat))) << padding;
  }
}

TEST_F(PtBytes, RefusesOtherFiles) {
  refuses("", "x.pt: not a file of torch.save (a zip archive)");
  refuses("\x80\x02N.", "a bare pickle");
  refuses("\x80", "a bare pickle");
  refuses(zip_bytes({{"x/a", ""}}), "a zip archive without data.pkl");
  refuses(zip_bytes({{"data.pkl", "N."}}), "a zip archive without data.pkl");
  refuses(zip_bytes({{"x/data.pkl", "N."}, {"y/data.pkl", "N."}}), "two pickles in one file");
  refuses(zip_bytes({{"x/byteorder", "big"}, {"x/data.pkl", "N."}}), "only little-endian is read");
}

TEST_F(PtBytes, DamagedStoragesAreFoundAtFirstUse) {
  const std::string two = ops::tensor(ops::storage("FloatStorage", "0", 2), 0, {2}, {1}) +
                          ops::tensor(ops::storage("FloatStorage", "1", 2), 0, {2}, {1});
  std::string bytes = pt_bytes(ops::kStart + "(" + two + "t" + ops::kStop, {floats(2), "damaged!"});
  bytes[bytes.find("damaged!")] = 'D';
  const PtFile file = open(bytes);
  EXPECT_EQ(file.tensor("0")[1].item<float>(), 1.0F);
  EXPECT_THAT([&] { file.tensor("1"); },
              ThrowsMessage<InputError>(HasSubstr("member x/data/1 is damaged: its checksum is wrong")));
  bytes[bytes.find("_rebuild")] = 'R';
  refuses(bytes, "member x/data.pkl is damaged");
}

struct View {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
};

// Each against a storage of 24 elements.
TEST_F(PtBytes, ViewsMustFitTheirStorage) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  const std::vector<View> good{{{24}, {1}},           {{23}, {1}, 1},       {{2, 3}, {12, 4}, 3},
                               {{}, {}, 23},          {{0}, {kHuge}, 24},   {{0, 5}, {1, 1}},
                               {{1, 24}, {kHuge, 1}}, {{1 << 24}, {0}, 23}, {{2, 2, 2}, {0, 23, 0}}};
  const std::vector<View> bad{{{25}, {1}},
                              {{24}, {1}, 1},
                              {{2}, {24}},
                              {{}, {}, 24},
                              {{0}, {1}, 25},
                              {{-1}, {1}},
                              {{2}, {-1}, 1},
                              {{1}, {1}, -1},
                              {{2, 2}, {1}},
                              {{2}, {1, 1}},
                              {{kHuge}, {1}},
                              {{kHuge}, {0}},
                              {{2}, {kHuge}},
                              {{3}, {kHuge}},
                              {{1}, {1}, kHuge},
                              {{3, 3}, {kHuge / 2, kHuge / 2}},
                              {{0, kHuge, kHuge}, {0, 0, 0}},
                              {{(1 << 24) + 1}, {0}},
                              {{std::int64_t{1} << 32, std::int64_t{1} << 32}, {0, 0}},
                              {std::vector<std::int64_t>(17, 1), std::vector<std::int64_t>(17, 1)}};
  const auto bytes = [](const View& view) {
    return pt_bytes(
        ops::kStart +
            ops::tensor(ops::storage("FloatStorage", "0", 24), view.offset, view.shape, view.strides) +
            ops::kStop,
        {floats(24)});
  };
  for (const View& view : good)
    EXPECT_EQ(open(bytes(view)).tensor("tensor").sizes(), at::IntArrayRef(view.shape));
  for (const View& view : bad) {
    EXPECT_THROW(open(bytes(view)), InputError)
        << ::testing::PrintToString(view.shape) << ::testing::PrintToString(view.strides) << view.offset;
  }
  refuses(bytes({{25}, {1}}),
          "a view of shape [25], strides [1] and offset 0 does not fit a storage of 24 elements");
}

// Neither a cut nor a wrong byte may do more than be refused.
void read_all(const fs::path& path) {
  try {
    const PtFile file(path);
    for (const TensorLayout& layout : file.tensors()) file.tensor(layout.name).sum();
  } catch (const InputError&) {
  }
}

std::string content_of(const fs::path& path) {
  const MappedFile file(path);
  return std::string(file.text());
}

TEST_F(PtBytes, TruncatedAnywhereIsRefused) {
  for (const char* name : {"containers.pt", "numpy_shapes.pt"}) {
    const fs::path path = write_fresh(content_of(kData / name));
    for (std::uintmax_t size = fs::file_size(path); size-- > 0;) {
      fs::resize_file(path, size);
      EXPECT_THROW(PtFile{path}, InputError) << name << " of " << size;
    }
  }
}

// A saved file, taken apart.
struct Parts {
  explicit Parts(const std::string& name) {
    const ZipArchive archive(MappedFile(kData / (name + ".pt")));
    pickle = archive.content(*archive.find(name + "/data.pkl"));
    while (const auto* member = archive.find(fmt::format("{}/data/{}", name, storages.size())))
      storages.emplace_back(archive.content(*member));
  }
  std::string pickle;
  std::vector<std::string> storages;
};

TEST_F(PtBytes, TruncatedPicklesAreRefused) {
  for (const std::string name : {"containers", "trained", "numpy_shapes", "protocol4"}) {
    const Parts parts(name);
    EXPECT_FALSE(open(pt_bytes(parts.pickle, parts.storages)).tensors().empty());
    for (std::size_t size = 0; size < parts.pickle.size(); ++size) {
      EXPECT_THROW(open(pt_bytes(parts.pickle.substr(0, size), parts.storages)), InputError)
          << name << " of " << size;
    }
  }
}

TEST_F(PtBytes, WrongBytesInPicklesAreRefusedOrRead) {
  for (const std::string name : {"containers", "trained", "numpy_shapes", "protocol4"}) {
    const Parts parts(name);
    for (std::size_t i = 0; i < parts.pickle.size(); ++i) {
      for (const int flipped : {0x01, 0x80, 0xff}) {
        std::string wrong = parts.pickle;
        wrong[i] = static_cast<char>(wrong[i] ^ flipped);
        read_all(write_fresh(pt_bytes(wrong, parts.storages)));
      }
    }
  }
}

TEST_F(PtBytes, WrongBytesAnywhereAreRefusedOrRead) {
  const std::string bytes = content_of(kData / "window.pt");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string wrong = bytes;
    wrong[i] = static_cast<char>(wrong[i] ^ 0xff);
    read_all(write_fresh(wrong));
  }
}

}  // namespace
}  // namespace hrt
