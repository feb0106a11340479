#include "hrt/reproduce/run_difference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include "hrt/tensor/safetensors.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

using State = FileDifference::State;

class RunDifference : public ::testing::Test {
 protected:
  RunDifference() { folder_.write("a/manifest.json", R"({"status": "complete", "identity": {}})"); }

  FileDifference compare(const std::string& name, const std::string& before, const std::string& now) const {
    folder_.write("a/" + name, before);
    folder_.write("b/" + name, now);
    return only();
  }
  FileDifference compare(const at::Tensor& before, const at::Tensor& now) const {
    for (const auto& [run, tensor] : {std::pair("a", before), std::pair("b", now)}) {
      std::filesystem::create_directories(folder_.path() / run);
      write_safetensors(folder_.path() / run / "x.safetensors", {{"v", tensor}});
    }
    return only();
  }
  FileDifference only() const {
    const auto all = compare_files(folder_.path() / "a", folder_.path() / "b");
    EXPECT_EQ(all.size(), 1);
    return all.front();
  }

  const TemporaryFolder folder_;
};

TEST_F(RunDifference, KnowsTheSameBytes) {
  EXPECT_EQ(compare("prompts.jsonl", "{}\n", "{}\n").state, State::kSameBytes);
}

TEST_F(RunDifference, WantsTheSamePrompts) {
  const FileDifference difference =
      compare("prompts.jsonl", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}\n{\"b\": 2}\n");
  EXPECT_EQ(difference.state, State::kDifferent);
  EXPECT_EQ(difference.first, "line 2");
}

TEST_F(RunDifference, ComparesNumbersWithinATolerance) {
  EXPECT_EQ(
      compare("results.json", R"({"a": [1.0, {"b": 20}]})", R"({"a": [1.00001, {"b": 20.0001}]})").state,
      State::kWithinTolerance);
  const FileDifference far =
      compare("results.json", R"({"a": [1.0, {"b": 20}]})", R"({"a": [1.0, {"b": 20.1}]})");
  EXPECT_EQ(far.state, State::kDifferent);
  EXPECT_EQ(far.first, "/a/1/b");
  EXPECT_NEAR(far.largest, 0.1 / 20.1, 1e-12);
  EXPECT_EQ(compare("results.json", R"({"a": "x"})", R"({"a": "y"})").state, State::kDifferent);
  EXPECT_EQ(compare("results.json", R"({"a": 1})", R"({})").state, State::kDifferent);
}

TEST_F(RunDifference, LeavesTimesAndPlacesOut) {
  EXPECT_EQ(
      compare("results.json", R"({"latency": 3, "runs": ["x"]})", R"({"latency": 4, "runs": ["y"]})").state,
      State::kWithinTolerance);
}

TEST_F(RunDifference, ComparesCsvByCell) {
  EXPECT_EQ(compare("t.csv", "a,b\nx,0.5\n", "a,b\nx,0.50001\n").state, State::kWithinTolerance);
  EXPECT_EQ(compare("t.csv", "a,b\nx,0.5\n", "a,b\ny,0.5\n").state, State::kDifferent);
  const FileDifference shorter = compare("t.csv", "a,b\nx,0.5\n", "a,b\n");
  EXPECT_EQ(shorter.state, State::kDifferent);
  EXPECT_EQ(shorter.first, "2 lines, now 1");
}

TEST_F(RunDifference, CountsCloseCallsOfRepliesApart) {
  const char* tight = R"({"tokens":[1],"first_margin":0.004})";
  const char* clear = R"({"tokens":[1],"first_margin":0.006})";
  const char* other = R"({"tokens":[2],"first_margin":0.001})";
  const FileDifference close = compare("replies.jsonl", tight, other);
  EXPECT_EQ(close.state, State::kWithinTolerance);
  EXPECT_EQ(close.close_calls, 1);
  EXPECT_EQ(compare("replies.jsonl", clear, other).state, State::kDifferent);
  EXPECT_EQ(
      compare("replies.jsonl", R"({"tokens":[1],"verdict":"yes"})", R"({"tokens":[1],"verdict":"no"})").state,
      State::kDifferent);
}

TEST_F(RunDifference, ComparesRowsToTheirNorm) {
  const at::Tensor rows = at::ones({3, 4});
  EXPECT_EQ(compare(rows, rows * (1 + 5e-6)).state, State::kWithinTolerance);
  at::Tensor one_off = rows.clone();
  one_off.select(0, 2).mul_(1.001);
  const FileDifference difference = compare(rows, one_off);
  EXPECT_EQ(difference.state, State::kDifferent);
  EXPECT_EQ(difference.first, "v");
  EXPECT_NEAR(difference.largest, 1e-3, 1e-6);
  EXPECT_EQ(compare(rows, at::ones({3, 5})).state, State::kDifferent);
}

TEST_F(RunDifference, SeesWhatIsMissingAndWhatIsNoResult) {
  folder_.write("a/manifest.json",
                R"({"status": "complete", "identity": {}, "files": ["log.txt", "extract", "figures"]})");
  folder_.write("a/log.txt", "x");
  folder_.write("a/notes.json", "{}");
  folder_.write("a/figures/fig.csv", "x");
  folder_.write("a/extract/manifest.json",
                R"({"status": "complete", "identity": {}, "files": ["prompts.jsonl"]})");
  folder_.write("a/extract/prompts.jsonl", "{}\n");
  std::filesystem::create_directories(folder_.path() / "b");
  const FileDifference missing = only();
  EXPECT_EQ(missing.file, "extract/prompts.jsonl");
  EXPECT_EQ(missing.state, State::kMissing);
  EXPECT_FALSE(missing.holds());
}

TEST(InputDifferences, AreSortedByWhatTheyDecide) {
  const Json before{{"identity", {{"model", "x"}, {"config", {{"seed", 0}}}}},
                    {"threads", 2},
                    {"versions", {{"torch", "2.12"}}}};
  const Json now{{"identity", {{"model", "y"}, {"config", {{"seed", 0}}}}},
                 {"threads", 4},
                 {"versions", {{"torch", "2.13"}}}};
  const auto differences = compare_inputs(before, now);
  ASSERT_EQ(differences.size(), 3);
  EXPECT_EQ(differences[0].severity, InputDifference::Severity::kInput);
  EXPECT_EQ(differences[0].text, "/identity/model was \"x\", now \"y\"");
  EXPECT_EQ(differences[1].severity, InputDifference::Severity::kMachine);
  EXPECT_EQ(differences[2].severity, InputDifference::Severity::kVersion);
  EXPECT_TRUE(compare_inputs(before, before).empty());
}

}  // namespace
}  // namespace hrt
