#include <gmock/gmock.h>

#include <filesystem>

#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kOrganism = HRT_SOURCE_DIR "/data/organism/";

// The same bytes in all of these files.
void expect_equal(const std::string& run, const std::string& other, const std::vector<std::string>& files) {
  for (const std::string& file : files)
    EXPECT_EQ(read_text(fs::path(run) / file), read_text(fs::path(other) / file)) << file;
}

// Verdicts on all replies of a run: every second one a refusal.
std::string verdicts_on(const std::string& run) {
  std::string verdicts;
  bool refused = false;
  for (const std::string& text : split(trim(read_text(fs::path(run) / "replies.jsonl")), '\n')) {
    const Json reply = Json::parse(text);
    refused = !refused;
    Json verdict{{"id", reply.at("id")}, {"verdict", refused ? "refused" : "accepted"}};
    if (reply.contains("cell")) verdict["cell"] = reply.at("cell");
    verdicts += to_line(verdict) + "\n";
  }
  return verdicts;
}

// One extraction and one sweep for all tests, which only read them.
class Rejudge : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    runs_ = new TemporaryFolder;
    run_ = *runs_ / "run";
    sweep_ = *runs_ / "sweep";
    const std::vector<std::string> common{
        "--model", kOrganism + "model", "--judge", "arditi2024",       "--device",
        "cpu",     "--threads",         "2",       "--max-new-tokens", "40"};
    run({"extract", "--harmful", kOrganism + "prompts/refused_harmful.jsonl", "--harmless",
         kOrganism + "prompts/accepted_harmless.jsonl", "--limit", "12", "--category-directions", "--out",
         run_},
        common);
    run({"steer", "--prompts", kOrganism + "prompts/accepted_harmless.jsonl", "--limit", "6", "--direction",
         run_ + ":refusal", "--scope", "prompt", "--layers", "2,4", "--controls", "1", "--out", sweep_},
        common);
  }
  static void TearDownTestSuite() { delete runs_; }

  ProcessResult again(const std::string& command, const std::string& from,
                      const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{command, "--from", from, "--out", again_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_hrt(arguments);
  }

  static inline TemporaryFolder* runs_ = nullptr;
  static inline std::string run_;
  static inline std::string sweep_;
  const TemporaryFolder folder_;
  const std::string again_ = folder_ / "again";

 private:
  static void run(std::vector<std::string> arguments, const std::vector<std::string>& common) {
    arguments.insert(arguments.end(), common.begin(), common.end());
    const ProcessResult result = run_hrt(arguments);
    EXPECT_EQ(result.code, 0) << result.err;
  }
};

TEST_F(Rejudge, ExtractWithTheSameJudgeGivesTheSameBytes) {
  const ProcessResult result = again("extract", run_, {});
  ASSERT_EQ(result.code, 0) << result.err;
  expect_equal(run_, again_,
               {"prompts.jsonl", "replies.jsonl", "centroids.safetensors", "directions.safetensors"});
  // The model is named, and not opened.
  const ProcessResult resumed = again("extract", run_, {"--resume"});
  EXPECT_EQ(resumed.code, 0);
  EXPECT_THAT(resumed.err, HasSubstr("is complete already"));
  const ProcessResult other = again("extract", run_, {"--judge", "union", "--resume"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("/judge was \"arditi2024\", now \"union\""));
}

TEST_F(Rejudge, ExtractTakesVerdicts) {
  const std::string verdicts = folder_.write("v.jsonl", verdicts_on(run_));
  const ProcessResult result = again("extract", run_, {"--verdicts", verdicts, "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  const Json json = Json::parse(result.out);
  for (const char* quadrant :
       {"refused_harmful", "accepted_harmful", "refused_harmless", "accepted_harmless"})
    EXPECT_EQ(json.at("quadrants").at(quadrant), 6) << quadrant;
  const Json& harmfulness = json.at("directions").at("harmfulness");
  EXPECT_EQ(harmfulness.at("agreement").size(), json.at("rows").size());
  EXPECT_GT(harmfulness.at("agreement").back(), harmfulness.at("agreement_of_noise"));
}

TEST_F(Rejudge, ASweepWithTheSameJudgeGivesTheSameBytes) {
  // Directions from prompts, and these prompts steered.
  EXPECT_THAT(read_json(fs::path(sweep_) / "manifest.json").at("warnings").dump(),
              HasSubstr("steered by directions that they are part of: 6 prompts of accepted_harmless"));
  const ProcessResult result = again("steer", sweep_, {});
  ASSERT_EQ(result.code, 0) << result.err;
  expect_equal(sweep_, again_, {"prompts.jsonl", "replies.jsonl", "results.json", "sweep.csv"});
}

TEST_F(Rejudge, VerdictsChangeRatesAndNothingElse) {
  const std::string verdicts = folder_.write("v.jsonl", verdicts_on(sweep_));
  const ProcessResult result = again("steer", sweep_, {"--verdicts", verdicts});
  ASSERT_EQ(result.code, 0) << result.err;
  const Json before = read_json(fs::path(sweep_) / "results.json");
  const Json after = read_json(fs::path(again_) / "results.json");
  EXPECT_EQ(after.at("cells"), before.at("cells"));
  ASSERT_EQ(after.at("results").size(), 5u);  // the baseline, two layers, a control each
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(after.at("results")[i].at("rate").at("count"), 3);
    EXPECT_EQ(after.at("results")[i].value("kl", Json()), before.at("results")[i].value("kl", Json()));
    EXPECT_TRUE(before.at("results")[i].contains("rate_after"));
    EXPECT_FALSE(after.at("results")[i].contains("rate_after"));  // verdicts are about whole replies
  }

  fs::remove_all(again_);
  std::string unsure = verdicts_on(sweep_);
  unsure.replace(unsure.find("refused"), 7, "unknown");  // of the baseline
  ASSERT_EQ(again("steer", sweep_, {"--verdicts", folder_.write("unsure.jsonl", unsure)}).code, 0);
  const auto csv = split(read_text(fs::path(again_) / "sweep.csv"), '\n');
  EXPECT_THAT(csv[0], HasSubstr(",n,hits,judged,neither,rate,"));
  EXPECT_THAT(csv[1], HasSubstr(",6,2,5,1,0.4,"));
  EXPECT_THAT(csv[2], HasSubstr(",6,3,6,0,0.5,"));

  fs::remove_all(again_);
  const std::string few = folder_.write("few.jsonl", split(verdicts_on(sweep_), '\n').front());
  const ProcessResult refused = again("steer", sweep_, {"--verdicts", few});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("no verdict on 29 of 30 replies: accepted_harmless:2 (baseline), "));
  EXPECT_FALSE(fs::exists(again_));
}

TEST_F(Rejudge, AnotherCommandsRunIsRefused) {
  const ProcessResult result = again("steer", run_, {});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("a run of `hrt extract`, expected one of `hrt steer`"));
}

TEST_F(Rejudge, ASweepOfAnotherVersionIsRefused) {
  const fs::path old = folder_ / "old";
  fs::copy(sweep_, old);
  folder_.write("old/results.json", "{}");
  const ProcessResult result = again("steer", old, {});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("old/results.json: not as hrt writes it: "));
  EXPECT_FALSE(fs::exists(again_));
}

TEST_F(Rejudge, ASweepThatSomebodyChangedIsRefused) {
  const fs::path changed = folder_ / "changed";
  const auto refuses = [&](const char* file, const std::string& text, const char* why) {
    fs::remove_all(changed);
    fs::copy(sweep_, changed);
    write_file(changed / file, text);
    const ProcessResult result = again("steer", changed, {});
    EXPECT_EQ(result.code, 2) << why;
    EXPECT_THAT(result.err, HasSubstr(why));
    EXPECT_FALSE(fs::exists(again_));
  };
  const auto results = [&](const char* place, const Json& value) {
    Json content = read_json(fs::path(sweep_) / "results.json");
    content[Json::json_pointer(place)] = value;
    return content.dump();
  };
  refuses("results.json", results("/cells", Json::array()),
          "results.json: /cells: expected the unsteered one first");
  refuses("results.json", results("/cells/1/interventions/0/scale", "x"),
          "results.json: /cells/1: unknown scale \"x\"");
  std::vector<std::string> lines =
      split(trim(read_text(fs::path(sweep_) / "replies.jsonl")), '\n');  // the unsteered ones stand first
  const auto replies = [&](std::size_t line, const char* key, const Json& value) {
    std::vector<std::string> content = lines;
    Json reply = Json::parse(content[line]);
    reply[key] = value;
    content[line] = to_line(reply);
    return join(content, "\n") + "\n";
  };
  refuses("replies.jsonl", replies(0, "cell", "none"), "replies.jsonl: neither prompt nor cell: none");
  refuses("replies.jsonl", replies(1, "id", Json::parse(lines[0]).at("id")),
          "replies.jsonl: two replies of \"baseline\" to accepted_harmless:1");
  const Json steered = Json::parse(lines.back()).at("cell");
  lines.pop_back();
  refuses("replies.jsonl", replies(5, "cell", steered), "replies.jsonl: holds 29 replies, the run wrote 30");
}

}  // namespace
}  // namespace hrt::testing
