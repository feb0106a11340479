#include "hrt/tensor/direction_export.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "data/scratch_folder.h"
#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

// Written by tools/dev/make_pt_files.py with gguf and numpy: rows 0..4 of 5 values.
const std::filesystem::path kData = std::filesystem::path(HRT_SOURCE_DIR) / "tests/tensor/data";

class DirectionExport : public ScratchFolder {
 protected:
  static DirectionRows five_rows() {
    return {at::arange(1, 26, at::kDouble).div(8).reshape({5, 5}), {0, 1, 2, 3, 4}};
  }
  void refuses(const DirectionRows& direction, const std::string& message) const {
    EXPECT_THAT([&] { write_direction_npy(folder_ / "d", direction); },
                ThrowsMessage<InputError>(HasSubstr(message)));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "d"));
  }
};

TEST_F(DirectionExport, ControlVectorIsByteForByteThatOfGguf) {
  EXPECT_THAT(write_control_vector(folder_ / "d.gguf", five_rows(), "llama"), ElementsAre(0, 1));
  EXPECT_EQ(read_file(folder_ / "d.gguf"), read_file(kData / "direction.gguf"));
}

TEST_F(DirectionExport, ControlVectorHoldsTheRowsThatThereAre) {
  const DirectionRows some{five_rows().values.narrow(0, 2, 3), {2, 3, 4}};
  EXPECT_THAT(write_control_vector(folder_ / "d.gguf", some, "llama"), IsEmpty());
  EXPECT_EQ(read_file(folder_ / "d.gguf"), read_file(kData / "direction.gguf"));
  const DirectionRows one{at::zeros({1, 8}), {17}};
  EXPECT_THAT(write_control_vector(folder_ / "one.gguf", one, "qwen2"), IsEmpty());
  EXPECT_THAT(read_file(folder_ / "one.gguf"), HasSubstr("direction.16"));
  EXPECT_THAT(
      [&] {
        write_control_vector(folder_ / "x", {at::zeros({2, 8}), {0, 1}}, "qwen2");
      },
      ThrowsMessage<InputError>(HasSubstr("begin at row 2")));
}

TEST_F(DirectionExport, NpyIsByteForByteThatOfNumpy) {
  write_direction_npy(folder_ / "d.npy", five_rows());
  EXPECT_EQ(read_file(folder_ / "d.npy"), read_file(kData / "direction.npy"));
}

TEST_F(DirectionExport, SafetensorsSayWhichRows) {
  const at::Tensor transposed = at::arange(6, at::kHalf).reshape({3, 2}).t();
  write_direction_safetensors(folder_ / "d.safetensors", {transposed, {3, 9}}, "refusal");
  const SafetensorsFile file(folder_ / "d.safetensors");
  EXPECT_EQ(file.metadata().at("rows"), "[3,9]");
  EXPECT_TRUE(at::equal(file.tensor("refusal"), transposed.to(at::kFloat)));
}

TEST_F(DirectionExport, RefusesWhatIsNoDirection) {
  refuses({at::zeros({2, 3}), {0}}, "a direction of shape [2, 3] cannot be exported as rows [0]");
  refuses({at::zeros({2}), {0, 1}}, "of shape [2]");
  refuses({at::zeros({2, 3}), {1, 1}}, "as rows [1,1]");
  refuses({at::zeros({2, 3}), {-1, 1}}, "as rows [-1,1]");
  at::Tensor values = at::zeros({3, 2}, at::kDouble);
  values[1][0] = 1e300;
  refuses({values, {4, 5, 6}}, "row 5 of the direction is not finite in float32");
}

TEST_F(DirectionExport, FailsWhereNothingCanBeWritten) {
  EXPECT_THROW(write_direction_npy(folder_ / "absent/d.npy", five_rows()), RunError);
}

}  // namespace
}  // namespace hrt
