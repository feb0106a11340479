#include "hrt/guard/guard_file.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <limits>

#include "hrt/base/error.h"
#include "hrt/tensor/safetensors.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using ::testing::HasSubstr;

Guard make_guard() {
  Guard guard;
  guard.harmful = at::tensor({1.0F, 0.0F, 0.0F, 0.0F, 1.0F, 0.0F}).view({2, 3});
  guard.harmless = at::tensor({0.0F, 1.0F, 0.0F, 0.0F, 0.0F, 1.0F}).view({2, 3});
  guard.rows = {3, 4};
  guard.threshold = 0.125;
  guard.chosen = {{"rows", "a"}, {"threshold", "b"}, {"calibration", "c"}};
  guard.model = "0123456789abcdef";
  guard.text = {{"template", "llama3"}, {"template_arg", Json::object()}, {"system", "Be kind."},
                {"bos", "auto"},        {"parse_special", false},         {"post_instruction", true},
                {"straddle", "auto"}};
  guard.dtype = "float32";
  guard.harmful_count = 100;
  guard.harmless_count = 99;
  guard.training = {"aa", "bb"};
  guard.provenance = {{"runs", {"run"}}, {"sets", {{"harmful_train", 100}}}};
  return guard;
}

std::string refusal(const std::string& file) {
  try {
    read_guard(file);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// The guard's file with other tensors, or its metadata changed.
class Changed {
 public:
  Changed() {
    write_guard(file(), make_guard());
    const SafetensorsFile stored(file());
    metadata_ = stored.metadata();
    for (const TensorInfo& info : stored.tensors())
      tensors_.push_back({info.name, stored.tensor(info.name).clone()});
  }
  std::string file() const { return folder_ / "guard.safetensors"; }
  Json content() const { return Json::parse(metadata_.at("hrt-guard")); }

  std::string with_content(const std::string& pointer, const Json& value) {
    Json content = this->content();
    content[Json::json_pointer(pointer)] = value;
    return with_metadata("hrt-guard", content.dump());
  }
  std::string with_metadata(const std::string& key, const std::string& value) {
    Metadata metadata = metadata_;
    metadata[key] = value;
    write_safetensors(file(), tensors_, metadata);
    return refusal(file());
  }
  std::string with_harmful(const at::Tensor& tensor) {
    std::vector<NamedTensor> tensors{{"harmful", tensor}, {"harmless", make_guard().harmless}};
    write_safetensors(file(), tensors, metadata_);
    return refusal(file());
  }

 private:
  TemporaryFolder folder_;
  std::vector<NamedTensor> tensors_;
  Metadata metadata_;
};

TEST(GuardFile, ComesBackAsItWas) {
  const TemporaryFolder folder;
  const Guard guard = make_guard();
  write_guard(folder / "g.safetensors", guard);
  const Guard read = read_guard(folder / "g.safetensors");
  EXPECT_TRUE(read.harmful.equal(guard.harmful));
  EXPECT_TRUE(read.harmless.equal(guard.harmless));
  EXPECT_EQ(read.rows, guard.rows);
  EXPECT_EQ(read.threshold, guard.threshold);
  EXPECT_EQ(read.chosen, guard.chosen);
  EXPECT_EQ(read.model, guard.model);
  EXPECT_EQ(read.text, guard.text);
  EXPECT_EQ(read.dtype, guard.dtype);
  EXPECT_EQ(read.harmful_count, 100);
  EXPECT_EQ(read.harmless_count, 99);
  EXPECT_EQ(read.training, guard.training);
  EXPECT_EQ(read.provenance, guard.provenance);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read.calibration));
}

TEST(GuardFile, CalibrationsComeBack) {
  const TemporaryFolder folder;
  Guard guard = make_guard();
  guard.calibration = PlattCalibration{3.5, -0.25};
  write_guard(folder / "g.safetensors", guard);
  const Calibration platt = read_guard(folder / "g.safetensors").calibration;
  EXPECT_EQ(std::get<PlattCalibration>(platt).slope, 3.5);
  EXPECT_EQ(std::get<PlattCalibration>(platt).intercept, -0.25);
  guard.calibration = IsotonicCalibration{{-1, 0.1}, {0, 0.75}};
  write_guard(folder / "g.safetensors", guard);
  const Calibration isotonic = read_guard(folder / "g.safetensors").calibration;
  EXPECT_EQ(std::get<IsotonicCalibration>(isotonic).scores, (std::vector<double>{-1, 0.1}));
  EXPECT_EQ(std::get<IsotonicCalibration>(isotonic).probabilities, (std::vector<double>{0, 0.75}));
}

TEST(GuardFile, OtherFilesAreRefused) {
  const TemporaryFolder folder;
  write_safetensors(folder / "t.safetensors", {{"harmful", at::full({1, 2}, 1.0F)}});
  EXPECT_THAT(refusal(folder / "t.safetensors"), HasSubstr("no guard file"));
  Changed changed;
  EXPECT_THAT(changed.with_content("/version", 2), HasSubstr("version 2, expected 1"));
  EXPECT_THAT(changed.with_content("/position", "t_post_inst"), HasSubstr("/position: expected t_inst"));
  EXPECT_THAT(changed.with_metadata("hrt-guard", "{"), HasSubstr("metadata hrt-guard"));
  EXPECT_THAT(changed.with_metadata("hrt-guard", "[]"), HasSubstr("object"));
}

TEST(GuardFile, TensorsMustFit) {
  Changed changed;
  EXPECT_THAT(changed.with_harmful(at::full({3, 2}, 1.0F)), HasSubstr("different shapes"));
  EXPECT_THAT(changed.with_harmful(at::full({6}, 1.0F)), HasSubstr("[rows, hidden]"));
  EXPECT_THAT(changed.with_harmful(at::full({2, 3}, 1.0, at::kDouble)), HasSubstr("F32"));
  EXPECT_THAT(changed.with_harmful(at::full({2, 3}, std::numeric_limits<float>::quiet_NaN())),
              HasSubstr("NaN or infinity"));
}

TEST(GuardFile, RowsMustFit) {
  Changed changed;
  EXPECT_THAT(changed.with_metadata("rows", "[1]"), HasSubstr("expected 2 row numbers"));
  EXPECT_THAT(changed.with_metadata("rows", "[4,4]"), HasSubstr("ascending"));
  EXPECT_THAT(changed.with_metadata("rows", "[-1,4]"), HasSubstr("row numbers"));
  EXPECT_THAT(changed.with_metadata("rows", "null"), HasSubstr("row numbers"));
}

TEST(GuardFile, ContentIsChecked) {
  Changed changed;
  EXPECT_THAT(changed.with_content("/threshold", "0"), HasSubstr("/threshold"));
  EXPECT_THAT(changed.with_content("/calibration/kind", "magic"), HasSubstr("none, platt or isotonic"));
  EXPECT_THAT(changed.with_content("/calibration", {{"kind", "platt"}, {"slope", 1}}),
              HasSubstr("/calibration/intercept"));
  EXPECT_THAT(changed.with_content("/text/template", nullptr),
              HasSubstr("/text: /template must be a string"));
  EXPECT_THAT(changed.with_content("/text/bos", "maybe"), HasSubstr("/text: /bos must be one of"));
  EXPECT_THAT(changed.with_content("/training", {1, 2}), HasSubstr("list of hashes"));
  EXPECT_THAT(changed.with_content("/model/hidden", 4),
              HasSubstr("/model/hidden: 4, but the centroids are 3 wide"));
  const auto isotonic = [&](const Json& scores, const Json& probabilities) {
    return changed.with_content("/calibration",
                                {{"kind", "isotonic"}, {"scores", scores}, {"probabilities", probabilities}});
  };
  EXPECT_EQ(isotonic({0, 1}, {0.5, 0.5}), "");
  EXPECT_THAT(isotonic({1, 1}, {0, 1}), HasSubstr("ascending scores"));
  EXPECT_THAT(isotonic({0, 1}, {0.5, 0.25}), HasSubstr("do not fall"));
  EXPECT_THAT(isotonic({0, 1}, {0, 1.5}), HasSubstr("in 0..1"));
  EXPECT_THAT(isotonic({0}, Json::array()), HasSubstr("as many"));
  EXPECT_THAT(isotonic(Json::array(), Json::array()), HasSubstr("ascending"));
  EXPECT_THAT(isotonic({"a"}, {1}), HasSubstr("list of numbers"));
}

TEST(GuardFile, KeysThatItDoesNotHaveAreRefused) {
  Changed changed;
  const auto unknown = [](const std::string& pointer) { return HasSubstr(pointer + " is not known here"); };
  for (const std::string pointer : {"/treshold", "/model/width", "/counts/all", "/calibration/slope"})
    EXPECT_THAT(changed.with_content(pointer, 1), unknown(pointer));
  EXPECT_THAT(changed.with_content("/text/templat", "llama3"), HasSubstr("/text: /templat is no key"));
  EXPECT_THAT(
      changed.with_content("/calibration", {{"kind", "platt"}, {"slope", 1}, {"intercept", 0}, {"a", 1}}),
      unknown("/calibration/a"));
  EXPECT_THAT(changed.with_content("/calibration", {{"kind", "isotonic"}, {"slope", 1}}),
              unknown("/calibration/slope"));
}

TEST(Guard, ItsVerdictIsTheMeanOfTheCosineDifferences) {
  const Guard guard = make_guard();
  const GuardScorer scorer(guard);
  // Row 3: cos with (1,0,0) 0.6, with (0,1,0) 0.8; row 4: cos with (0,1,0) 1, with (0,0,1) 0.
  const auto verdict = scorer.judge(at::tensor({3.0F, 4.0F, 0.0F, 0.0F, 2.0F, 0.0F}).view({2, 3}));
  ASSERT_TRUE(verdict.has_value());
  EXPECT_NEAR(verdict->delta, (-0.2 + 1) / 2, 1e-7);
  EXPECT_TRUE(verdict->harmful);
  EXPECT_EQ(verdict->probability, std::nullopt);
}

TEST(Guard, AScoreAtTheThresholdIsHarmless) {
  Guard guard = make_guard();
  guard.threshold = 0;
  const auto verdict =
      GuardScorer(guard).judge(at::tensor({1.0F, 1.0F, 0.0F, 0.0F, 1.0F, 1.0F}).view({2, 3}));
  EXPECT_EQ(verdict->delta, 0);
  EXPECT_FALSE(verdict->harmful);
}

TEST(Guard, ZerosHaveNoVerdict) {
  EXPECT_EQ(GuardScorer(make_guard()).judge(at::full({2, 3}, 0.0F)), std::nullopt);
}

}  // namespace
}  // namespace hrt
