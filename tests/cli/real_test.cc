// SmolLM2 and harmless prompts against what transformers computed (tools/dev/make_real_goldens.py).

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "hrt/base/hash.h"
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

// Each test runs in a process of its own, so each has hrt do no more than it looks at.
class RealSmolLM2 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(model() / "model.safetensors") || !fs::exists(cache_dir() / "prompts/edgy.jsonl"))
      GTEST_SKIP() << "SmolLM2 and the prompts are not fetched (tools/fetch)";
  }

  // Runs a command over the goldens' prompts into run().
  void run_over_goldens(const std::string& command, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{command,
                                       "--model",
                                       model().string(),
                                       "--prompts",
                                       folder_.write("prompts.jsonl", golden_prompts()),
                                       "--dtype",
                                       "float32",
                                       "--device",
                                       "cpu",
                                       "--out",
                                       run().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = run_hrt(arguments);
    ASSERT_EQ(result.code, 0) << result.err;
  }

  static fs::path model() { return cache_dir() / "smollm2"; }
  fs::path run() const { return folder_.path() / "run"; }

  const std::vector<Json> goldens_ = lines_of(kGoldens / "smollm2.jsonl");

 private:
  // The texts stand in the fetched files; the goldens name them by id.
  std::string golden_prompts() const {
    std::map<std::string, std::string> texts;
    for (const fs::path& file :
         {cache_dir() / "prompts/harmless_pairs.jsonl", cache_dir() / "prompts/edgy.jsonl",
          fs::path(HRT_SOURCE_DIR) / "data/prompts/cannot_do.jsonl"}) {
      for (const Json& line : lines_of(file)) texts[line.at("id")] = line.at("instruction");
    }
    std::string prompts;
    for (const Json& golden : goldens_) {
      prompts += to_line({{"id", golden.at("id")}, {"instruction", texts.at(golden.at("id"))}}) + "\n";
    }
    return prompts;
  }

  TemporaryFolder folder_;
};

void expect_rows(const SafetensorsFile& activations, const std::map<std::string, std::int64_t>& place) {
  const SafetensorsFile golden(kGoldens / "smollm2.safetensors");
  const Json rows = Json::parse(golden.metadata().at("rows"));
  const Json ids = Json::parse(golden.metadata().at("prompts"));
  for (const char* position : {"t_inst", "t_post_inst"}) {
    const at::Tensor expected = golden.tensor(position);  // [prompts, rows, hidden]
    const at::Tensor found = activations.tensor(position);
    for (std::int64_t i = 0; i < expected.size(0); ++i) {
      for (std::int64_t r = 0; r < expected.size(1); ++r) {
        const at::Tensor reference = expected[i][r];
        const std::string id = ids.at(static_cast<std::size_t>(i));
        const std::int64_t row = rows.at(static_cast<std::size_t>(r));
        EXPECT_LE((found[place.at(id)][row] - reference).norm().item<double>(),
                  kRowTolerance * reference.norm().item<double>())
            << id << " " << position << " row " << row;
      }
    }
  }
}

TEST_F(RealSmolLM2, TokensPositionsAndRowsAreThoseOfTransformers) {
  ASSERT_NO_FATAL_FAILURE(run_over_goldens("extract", {"--outcomes", "none"}));
  const std::vector<Json> prompts = lines_of(run() / "prompts.jsonl");
  ASSERT_EQ(prompts.size(), goldens_.size());
  std::map<std::string, std::int64_t> place;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    ASSERT_EQ(prompts[i].at("id"), goldens_[i].at("id"));
    EXPECT_EQ(sha256_of(to_line(prompts[i].at("tokens"))), goldens_[i].at("tokens_sha256"))
        << prompts[i].at("id");
    for (const auto& [name, golden] : goldens_[i].at("positions").items()) {
      Json expected = golden;
      expected["part"] = name == "t_inst" ? "instruction" : "post_instruction";
      EXPECT_EQ(prompts[i].at("positions").at(name), expected) << prompts[i].at("id");
    }
    place[prompts[i].at("id")] = static_cast<std::int64_t>(i);
  }
  expect_rows(SafetensorsFile(run() / "activations.safetensors"), place);
}

TEST_F(RealSmolLM2, GreedyRepliesPartOnlyWhereTheModelIsUndecided) {
  ASSERT_NO_FATAL_FAILURE(run_over_goldens("steer", {"--max-new-tokens", "48"}));
  const std::vector<Json> replies = lines_of(run() / "replies.jsonl");
  ASSERT_EQ(replies.size(), goldens_.size());
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const auto found = replies[i].at("tokens").get<std::vector<std::int64_t>>();
    const auto reply = goldens_[i].at("reply").get<std::vector<std::int64_t>>();
    if (found == reply) {
      EXPECT_EQ(replies[i].at("stop"), goldens_[i].at("stop"));
      continue;
    }
    const auto parted =
        std::mismatch(found.begin(), found.end(), reply.begin(), reply.end()).first - found.begin();
    EXPECT_LE(goldens_[i].at("gaps").at(static_cast<std::size_t>(parted)).get<double>(), kUndecidedGap)
        << replies[i].at("id") << " parts at token " << parted;
  }
}

}  // namespace
}  // namespace hrt::testing
