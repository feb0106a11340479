#include "hrt/inspect/inspect.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <limits>

#include "data/scratch_folder.h"
#include "hrt/inspect/inspect_run.h"
#include "hrt/inspect/inspect_tensors.h"
#include "terminal_page.h"
#include "test_data.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using test::fits_the_terminal;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

class InspectFiles : public ScratchFolder {
 protected:
  TensorFile file_of(const std::vector<NamedTensor>& tensors, const Metadata& metadata = {}) const {
    write_safetensors(folder_ / "t.safetensors", tensors, metadata);
    return TensorFile(folder_ / "t.safetensors");
  }
};

TEST_F(InspectFiles, StatisticsAreThoseOfTheFiniteValues) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const TensorStatistics s =
      tensor_statistics(at::tensor({3.0F, kInf, -4.0F, std::numeric_limits<float>::quiet_NaN()}));
  EXPECT_EQ(s.finite, 2);
  EXPECT_EQ(s.not_finite, 2);
  EXPECT_EQ(s.min, -4);
  EXPECT_EQ(s.max, 3);
  EXPECT_EQ(s.mean, -0.5);
  EXPECT_EQ(s.norm, 5);
  EXPECT_EQ(tensor_statistics(at::zeros({0, 3})).finite, 0);
  EXPECT_EQ(tensor_statistics(at::full({2}, kInf)).not_finite, 2);
}

TEST_F(InspectFiles, StatisticsOfManyPieces) {
  // More than one piece, whose sum no float32 accumulator gets right.
  const std::int64_t count = (std::int64_t{1} << 20) + 12345;
  const TensorStatistics s = tensor_statistics(at::arange(count, at::kInt));
  EXPECT_EQ(s.finite, count);
  EXPECT_EQ(s.max, static_cast<double>(count - 1));
  EXPECT_DOUBLE_EQ(s.mean, static_cast<double>(count - 1) / 2);
}

TEST_F(InspectFiles, DescribesTensors) {
  const TensorFile file =
      file_of({{"a", at::full({2, 3}, 2.0)}, {"b", at::arange(4, at::kLong)}}, {{"rows", "[0,1]"}});
  const Json all = describe_tensors(file, std::nullopt);
  ASSERT_EQ(all.at("tensors").size(), 2U);
  EXPECT_EQ(to_line(all.at("tensors")[0]),
            R"({"name":"a","dtype":"F32","shape":[2,3],"strides":[3,1],"statistics":)"
            R"({"min":2.0,"max":2.0,"mean":2.0,"norm":4.898979485566356,"not_finite":0}})");
  const Json one = describe_tensors(file, "b");
  EXPECT_EQ(one.at("tensors").size(), 1U);
  EXPECT_EQ(one.at("bytes"), 32);
  EXPECT_GT(all.at("bytes"), 24 + 32);  // and the header
  EXPECT_THAT([&] { describe_tensors(file, "c"); }, ThrowsMessage<InputError>(HasSubstr("no tensor c")));
  const std::string page = tensors_page(all);
  fits_the_terminal(page);
  EXPECT_THAT(page, AllOf(HasSubstr("2 tensors"), HasSubstr("rows: [0,1]"), HasSubstr("[2,3]")));
}

TEST_F(InspectFiles, StatisticsOfViewsAreThoseOfTheirElements) {
  // Larger than a piece, and neither the whole storage nor in its order.
  const at::Tensor view = at::arange(6'000'000, at::kInt).reshape({1000, 3, 2000}).select(1, 1).t();
  const TensorStatistics s = tensor_statistics(view);
  EXPECT_EQ(s.finite, 2'000'000);
  EXPECT_EQ(s.min, 2000);
  EXPECT_EQ(s.max, 5'997'999);
  EXPECT_DOUBLE_EQ(s.mean, (2000 + 5'997'999) / 2.0);
}

TEST_F(InspectFiles, DescribesFilesOfTorch) {
  const std::string data = HRT_SOURCE_DIR "/tests/tensor/data/";
  const Json views = describe_tensors(TensorFile(data + "transposed.pt"), std::nullopt);
  EXPECT_EQ(views.at("tensors")[0].at("strides"), Json({1, 3}));
  EXPECT_EQ(views.at("tensors")[2].at("statistics").at("max"), 9.0);
  const std::string page = tensors_page(views);
  fits_the_terminal(page);
  EXPECT_THAT(page, AllOf(HasSubstr("strides"), HasSubstr("[1,3]"), HasSubstr("expanded")));
  EXPECT_THAT(tensors_page(describe_tensors(TensorFile(data + "bare.pt"), std::nullopt)),
              Not(HasSubstr("strides")));
  EXPECT_THAT(tensors_page(describe_tensors(TensorFile(data + "containers.pt"), std::nullopt)),
              AllOf(HasSubstr("layer: 12"), HasSubstr("list.1.1.deep")));
}

// [layers 3, prompts 4, positions 2, hidden 8]: at position 0 all prompts have one row at layer 0, at
// position 1 each its own.
at::Tensor released_like() {
  at::Tensor tensor = at::randn({3, 4, 2, 8});
  tensor.select(0, 0).select(1, 0).copy_(at::arange(8, at::kFloat));
  return tensor;
}

TEST_F(InspectFiles, ClaimHoldsWhereTokensAreEqual) {
  const TensorFile file = file_of({{"x", released_like()}});
  const ClaimCheck check = check_claim(file, {"2:0", {}, {}});
  EXPECT_TRUE(check.holds());
  EXPECT_EQ(check.prompts, 4);
  EXPECT_NEAR(check.min, 1, 1e-12);
  EXPECT_NEAR(check.mean, 1, 1e-12);
  EXPECT_THAT(claim_page(check, {"2:0", {}, {}}), HasSubstr("holds: one and the same"));
}

TEST_F(InspectFiles, ClaimDoesNotHoldWhereTokensDiffer) {
  const TensorFile file = file_of({{"x", released_like()}});
  for (const std::string position : {"2:1", "2:-1", "-2:1"}) {
    const ClaimCheck check = check_claim(file, {position, {}, {}});
    EXPECT_FALSE(check.holds()) << position;
    EXPECT_LT(check.min, 0.99);
  }
  const Json json = claim_json(check_claim(file, {"2:1", "x", {}}));
  EXPECT_EQ(json.at("verdict"), "does not hold");
}

TEST_F(InspectFiles, ClaimMeansAreOverPairs) {
  // Cosines 0, 0 and 1 between three prompts.
  const at::Tensor rows = at::tensor({1.0F, 0.0F, 0.0F, 2.0F, 3.0F, 0.0F}).reshape({1, 3, 1, 2});
  const ClaimCheck check = check_claim(file_of({{"x", rows}}), {"2:0", {}, {}});
  EXPECT_NEAR(check.mean, 1.0 / 3, 1e-12);
  EXPECT_NEAR(check.min, 0, 1e-12);
}

TEST_F(InspectFiles, ClaimOfOurOwnTensors) {
  at::Tensor rows = at::randn({5, 3, 8});  // [prompts, rows, hidden]
  rows.select(1, 0).copy_(at::arange(8, at::kFloat));
  const TensorFile file = file_of({{"t_inst", rows.to(at::kBFloat16)},
                                   {"t_post_inst", at::randn({5, 3, 8})},
                                   {"prompt", at::randn({9, 3, 8})},
                                   {"prompt.offsets", at::arange(6, at::kLong)}},
                                  {{"rows", "[0,1,2]"}});
  EXPECT_TRUE(check_claim(file, {"t_inst", {}, {}}).holds());
  EXPECT_FALSE(check_claim(file, {"t_post_inst", {}, {}}).holds());
  EXPECT_THAT([&] { check_claim(file, {"prompt", {}, {}}); }, ThrowsMessage<InputError>(HasSubstr("a span")));
  EXPECT_THAT(
      [&] {
        check_claim(file, {"t_ins", {}, {}});
      },
      ThrowsMessage<InputError>(HasSubstr("did you mean t_inst")));
}

TEST_F(InspectFiles, ClaimNeedsRowZero) {
  const TensorFile file = file_of({{"t_inst", at::randn({2, 2, 8})}}, {{"rows", "[1,2]"}});
  EXPECT_THAT(
      [&] {
        check_claim(file, {"t_inst", {}, {}});
      },
      ThrowsMessage<InputError>(HasSubstr("row 0 is not among")));
}

TEST_F(InspectFiles, ClaimCountsRowsWithoutDirection) {
  at::Tensor tensor = released_like();
  tensor.select(0, 0).select(1, 0)[2].zero_();
  const ClaimCheck check = check_claim(file_of({{"x", tensor}}), {"2:0", {}, {}});
  EXPECT_EQ(check.unusable, 1);
  EXPECT_FALSE(check.holds());
  const ClaimCheck none = check_claim(file_of({{"x", at::zeros({3, 4, 2, 8})}}), {"2:0", {}, {}});
  EXPECT_FALSE(none.holds());
  EXPECT_THAT(to_line(claim_json(none)), HasSubstr(R"("unusable":4,"min_cosine":null,"mean_cosine":null)"));
}

TEST_F(InspectFiles, ClaimRefusesWhatHasNoSuchPlace) {
  const TensorFile file =
      file_of({{"x", released_like()}, {"y", at::randn({4})}, {"one", at::randn({3, 1, 2, 8})}});
  const auto refuses = [&](const PositionClaim& claim, const std::string& message) {
    EXPECT_THAT([&] { check_claim(file, claim); }, ThrowsMessage<InputError>(HasSubstr(message)));
  };
  refuses({"2:0", {}, {}}, "holds 3 tensors, say which one: x, y, one");
  refuses({"4:0", "x", {}}, "there is no axis 4");
  refuses({"2:2", "x", {}}, "there is no index 2");
  refuses({"0:0", "x", {}}, "both layers and positions");
  refuses({"1:0", "x", 7}, "there is no axis 7");
  refuses({"0:0", "y", {}}, "both layers and positions");
  refuses({"2:0", "one", {}}, "at least two prompts");
  refuses({"2:x", {}, {}}, "no tensor 2:x");
}

// What the rows released with arXiv 2507.11878 are said to be: five prompts at [t_inst, t_post_inst].
TEST(GoldensInspect, ReleasedRowsAreNotAtTInst) {
  const fs::path path = large_test_data() / "zhao2025/qwen-hl-refuse5-all-layer-2pos.pt";
  if (!fs::exists(path)) GTEST_SKIP() << path << " is not there";
  const TensorFile file(path);
  const ClaimCheck t_inst = check_claim(file, {"2:0", {}, {}});
  EXPECT_FALSE(t_inst.holds());
  EXPECT_EQ(t_inst.prompts, 5);
  EXPECT_LT(t_inst.mean, 0.5);
}

TEST_F(InspectFiles, RunsAreSummedUp) {
  write("prompts.jsonl", "{}\n");
  write("manifest.json",
        R"({"status": "complete", "started": "A", "finished": "B", "exit_code": 3, "command": "extract",
    "identity": {}, "counts": {"prompts": 7, "quadrants": {"refused_harmful": 4}, "unknown_outcomes": 1},
    "row_identity": {"holds": false, "prompts": 7, "worst_relative_difference": 0.5, "tolerance": 2e-5},
    "warnings": ["one\u001b", "two"]})");
  const std::string page = run_page(folder_, read_manifest(folder_));
  EXPECT_THAT(page, AllOf(HasSubstr("complete with exit code 3, started A, finished B"),
                          HasSubstr("7 prompts, 4 refused harmful, 1 unknown"),
                          HasSubstr("does not hold: rows of 7 prompts"), HasSubstr("one\\x1b"),
                          HasSubstr("prompts.jsonl (3 B)")));
}

TEST_F(InspectFiles, RunsThatSomebodyChangedAreNamed) {
  write("manifest.json",
        R"({"status": "complete", "command": "extract", "identity": {}, "counts": {"prompts": {}}})");
  InspectRequest request;
  request.path = folder_;
  EXPECT_THAT(
      [&] { run_inspect(request); },
      ThrowsMessage<InputError>(HasSubstr("manifest.json: not as hrt writes it: type must be number")));
}

TEST_F(InspectFiles, RunsThatJustBegan) {
  write("manifest.json", R"({"status": "running", "started": "A", "identity": {}, "warnings": []})");
  EXPECT_THAT(run_page(folder_, read_manifest(folder_)), HasSubstr("running, started A\n"));
  write("manifest.json", R"({"name": "somebody else's"})");
  EXPECT_THAT([&] { read_manifest(folder_); }, ThrowsMessage<InputError>(HasSubstr("no manifest of hrt's")));
}

TEST_F(InspectFiles, RefusesPathsThatHoldNothing) {
  const auto refuses = [&](const fs::path& path, const std::string& message) {
    InspectRequest request;
    request.path = path;
    EXPECT_THAT([&] { run_inspect(request); }, ThrowsMessage<InputError>(HasSubstr(message)));
  };
  refuses(folder_ / "absent", "no such file or folder");
  refuses(folder_, "expected a checkpoint (config.json), a tokenizer");
  refuses(write("x.pt", ""), "not a file of torch.save");
  refuses(write("x.txt", ""), "neither a safetensors file nor one of torch.save");
  refuses(write("x.safetensors", ""), "no safetensors file");
}

}  // namespace
}  // namespace hrt
