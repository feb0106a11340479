// SmolLM2 and harmless prompts against what transformers computed (tools/dev/make_real_goldens.py).

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "hrt/base/json.h"
#include "hrt/base/paths.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kGoldens = HRT_SOURCE_DIR "/tests/cli/goldens";
constexpr double kRowTolerance = 2e-5;
constexpr double kUndecidedGap = 5e-3;  // of the two best logits: rounding may decide there

std::vector<Json> lines_of(const fs::path& file) {
  std::vector<Json> lines;
  for (const std::string& line : split(trim(read_text(file)), '\n')) lines.push_back(Json::parse(line));
  return lines;
}

// One run over the goldens' prompts, shared by the tests.
class RealSmolLM2 : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!available()) return;
    folder_ = new TemporaryFolder;
    const std::string prompts = folder_->write("prompts.jsonl", golden_prompts());
    result_ = run_hrt({"extract", "--model", model().string(), "--prompts", prompts, "--outcomes", "generate",
                       "--max-new-tokens", "48", "--dtype", "float32", "--device", "cpu", "--out",
                       *folder_ / "run"});
  }
  static void TearDownTestSuite() { delete folder_; }

  void SetUp() override {
    if (!available()) GTEST_SKIP() << "SmolLM2 is not fetched (tools/fetch)";
    ASSERT_EQ(result_.code, 0) << result_.err;
  }

  static fs::path model() { return cache_dir() / "smollm2"; }
  static bool available() {
    return fs::exists(model() / "model.safetensors") && fs::exists(cache_dir() / "prompts/edgy.jsonl");
  }
  static fs::path run() { return folder_->path() / "run"; }
  static std::vector<Json> goldens() { return lines_of(kGoldens / "smollm2.jsonl"); }

  // The texts stand in the fetched files; the goldens name them by id.
  static std::string golden_prompts() {
    std::map<std::string, std::string> texts;
    for (const fs::path& file :
         {cache_dir() / "prompts/harmless_pairs.jsonl", cache_dir() / "prompts/edgy.jsonl",
          fs::path(HRT_SOURCE_DIR) / "data/prompts/cannot_do.jsonl"}) {
      for (const Json& line : lines_of(file)) texts[line.at("id")] = line.at("instruction");
    }
    std::string prompts;
    for (const Json& golden : goldens()) {
      prompts += to_line({{"id", golden.at("id")}, {"instruction", texts.at(golden.at("id"))}}) + "\n";
    }
    return prompts;
  }

  static TemporaryFolder* folder_;
  static ProcessResult result_;
};

TemporaryFolder* RealSmolLM2::folder_ = nullptr;
ProcessResult RealSmolLM2::result_;

TEST_F(RealSmolLM2, TokensAndPositionsAreThoseOfItsTokenizer) {
  const std::vector<Json> expected = goldens();
  const std::vector<Json> prompts = lines_of(run() / "prompts.jsonl");
  ASSERT_EQ(prompts.size(), expected.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(prompts[i].at("id"), expected[i].at("id"));
    EXPECT_EQ(prompts[i].at("tokens"), expected[i].at("tokens")) << prompts[i].at("id");
    EXPECT_EQ(prompts[i].at("positions"), expected[i].at("positions")) << prompts[i].at("id");
  }
}

TEST_F(RealSmolLM2, RowsAreThoseOfTransformers) {
  const SafetensorsFile golden(kGoldens / "smollm2.safetensors");
  const SafetensorsFile activations(run() / "activations.safetensors");
  const auto rows = Json::parse(golden.metadata().at("rows")).get<std::vector<std::int64_t>>();
  const auto ids = Json::parse(golden.metadata().at("prompts")).get<std::vector<std::string>>();
  std::map<std::string, std::int64_t> place;
  for (const Json& line : lines_of(run() / "prompts.jsonl")) {
    place.emplace(line.at("id"), static_cast<std::int64_t>(place.size()));
  }
  for (const char* position : {"t_inst", "t_post_inst"}) {
    const at::Tensor expected = golden.tensor(position);
    const at::Tensor found = activations.tensor(position);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const at::Tensor reference = expected[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(r)];
        const at::Tensor difference = found[place.at(ids[i])][rows[r]] - reference;
        EXPECT_LE(difference.norm().item<double>(), kRowTolerance * reference.norm().item<double>())
            << ids[i] << " " << position << " row " << rows[r];
      }
    }
  }
}

TEST_F(RealSmolLM2, GreedyRepliesPartOnlyWhereTheModelIsUndecided) {
  const std::vector<Json> expected = goldens();
  const std::vector<Json> replies = lines_of(run() / "replies.jsonl");
  ASSERT_EQ(replies.size(), expected.size());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const auto found = replies[i].at("tokens").get<std::vector<std::int64_t>>();
    const auto reply = expected[i].at("reply").get<std::vector<std::int64_t>>();
    const auto parted =
        std::mismatch(found.begin(), found.end(), reply.begin(), reply.end()).first - found.begin();
    if (found == reply) {
      EXPECT_EQ(replies[i].at("stop"), expected[i].at("stop"));
      continue;
    }
    EXPECT_LE(expected[i].at("gaps").at(static_cast<std::size_t>(parted)).get<double>(), kUndecidedGap)
        << replies[i].at("id") << " parts at token " << parted;
  }
}

}  // namespace
}  // namespace hrt::testing
