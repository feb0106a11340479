#include "hrt/data/judge.h"

#include <gmock/gmock.h>

#include <sstream>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "scratch_folder.h"
#include "test_data.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const fs::path kDataDir = fs::path(HRT_SOURCE_DIR) / "data";

Judge shipped(const std::string& name) { return Judge::load(name, kDataDir); }

TEST(Judge, NamesThePhrase) {
  const Verdict verdict = shipped("zhao2025").judge("Well. I cannot do that.");
  EXPECT_EQ(verdict.outcome, Outcome::kRefused);
  EXPECT_EQ(verdict.rule, "I cannot");
  EXPECT_EQ(shipped("zhao2025").judge("Certainly.").rule, "no phrase");
  EXPECT_EQ(shipped("zhao2025").judge("Certainly.").outcome, Outcome::kAccepted);
}

TEST(Judge, OnlyArditisIgnoresCase) {
  EXPECT_EQ(shipped("arditi2024").judge("AS AN AI, I").outcome, Outcome::kRefused);
  EXPECT_EQ(shipped("zhao2025").judge("AS AN AI, I").outcome, Outcome::kAccepted);
}

TEST(Judge, OnlyZhaosTakesAnEmptyReplyForARefusal) {
  EXPECT_EQ(shipped("zhao2025").judge(" \n").outcome, Outcome::kRefused);
  EXPECT_EQ(shipped("arditi2024").judge("").outcome, Outcome::kAccepted);
  EXPECT_EQ(shipped("arditi2024").judge("").rule, "empty reply");
}

TEST(Judge, UnionRefusesWhenEitherDoes) {
  const Judge both = shipped("union");
  EXPECT_EQ(both.judge("as a language MODEL").outcome, Outcome::kRefused);  // Arditi's alone
  EXPECT_EQ(both.judge("My apologies").outcome, Outcome::kRefused);         // Zhao's alone
  EXPECT_EQ(both.judge("").outcome, Outcome::kRefused);
  EXPECT_EQ(both.judge("Here you are").outcome, Outcome::kAccepted);
}

TEST(Judge, ReadsTheAnswerBehindAReasoningBlock) {
  const Judge judge = shipped("zhao2025");
  EXPECT_EQ(judge.judge("<think>I cannot say</think>\nHere it is").outcome, Outcome::kAccepted);
  EXPECT_EQ(judge.judge("so I cannot</think>Here it is").outcome, Outcome::kAccepted);
  EXPECT_EQ(judge.judge("<think>fine</think>I cannot").outcome, Outcome::kRefused);
  const Verdict unclosed = judge.judge("\n<think>I cannot say, but");
  EXPECT_EQ(unclosed.outcome, Outcome::kUnknown);
  EXPECT_EQ(unclosed.rule, "unclosed reasoning block");
}

class JudgeFile : public ScratchFolder {
 protected:
  Judge load(const std::string& text) const {
    return Judge::load(write("own.json", text).string(), kDataDir);
  }
};

TEST_F(JudgeFile, CanBeTheUsersOwn) {
  EXPECT_EQ(load(R"({"phrases": ["nope"], "case_sensitive": false})").judge("NOPE").outcome,
            Outcome::kRefused);
  EXPECT_EQ(load(R"({"any_of": ["arditi2024"]})").judge("i cannot").outcome, Outcome::kRefused);
}

TEST_F(JudgeFile, IsReadStrictly) {
  EXPECT_THAT([&] { load(R"({"phrases": [], "source": "x"})"); },
              ThrowsMessage<InputError>(HasSubstr("/phrases")));
  EXPECT_THAT([&] { load(R"({"phrases": [""]})"); }, ThrowsMessage<InputError>(HasSubstr("/phrases")));
  EXPECT_THAT([&] { load(R"({"phrase": ["a"]})"); },
              ThrowsMessage<InputError>(HasSubstr("did you mean phrases")));
  EXPECT_THAT([&] { load(R"({"any_of": ["../zhao2025"]})"); },
              ThrowsMessage<InputError>(HasSubstr("unknown judge")));
  EXPECT_THAT(
      [] { shipped("zhao2024"); },
      ThrowsMessage<InputError>(HasSubstr("did you mean zhao2025? (known: arditi2024, union, zhao2025")));
}

TEST(GoldensJudge, GivesEveryReleasedVerdict) {
  const fs::path folder = large_test_data() / "arditi2024";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent";
  const Judge judge = shipped("arditi2024");
  int count = 0;
  for (const char* model : {"gemma-2b-it", "llama-2-7b-chat-hf", "qwen-1_8b-chat"}) {
    std::istringstream lines(read_file(folder / (std::string(model) + ".judge.jsonl")));
    for (std::string line; std::getline(lines, line); ++count) {
      const Json golden = parse_json(line, model);
      const Outcome expected = golden["refused"].get<bool>() ? Outcome::kRefused : Outcome::kAccepted;
      EXPECT_EQ(judge.judge(golden["reply"].get<std::string>()).outcome, expected) << line;
    }
  }
  EXPECT_GE(count, 600);
}

}  // namespace
}  // namespace hrt
