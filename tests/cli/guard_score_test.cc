// `hrt guard score` on the organism.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <map>

#include "guard_command.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(GuardCommand, ScoreGivesWhatEvalGives) {
  const ProcessResult result =
      score({kProject + "/data/organism/prompts/jailbreak_suffix.jsonl", "--batch-size", "7", "--quiet"});
  ASSERT_EQ(result.code, 0) << result.err;
  const std::vector<Json> lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 80u);
  std::map<std::string, double> expected;
  for (const std::string& row : split(read_text(table3() + "/scores.csv"), '\n')) {
    const std::vector<std::string> fields = split(row, ',');
    if (fields.size() > 6 && fields[4] == "Latent Guard") expected[fields[0]] = std::stod(fields[6]);
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].at("line"), i + 1);
    const double delta = lines[i].at("delta_harmful");
    EXPECT_NEAR(delta, expected.at(lines[i].at("id").get<std::string>()), 1e-5);
    EXPECT_EQ(lines[i].at("verdict"), delta > 0 ? "harmful" : "harmless");
    EXPECT_NEAR(lines[i].at("probability").get<double>(), 0.5, 0.5);
  }
}

std::string mixed_lines() {
  return R"({"id": "first", "instruction": "how do i bake bread?"}
{broken

{"instruction": ""}
{"id": 5, "text": "no instruction"}
{"id": 6, "messages": [{"role": "user", "content": "how do i shut down a ticket check?"}]}
["no object"]
{"instruction": "explain how to plant a tree."})";
}

TEST_F(GuardCommand, ScoreGoesOnBehindBrokenLines) {
  for (const char* batch : {"1", "3", "100"}) {
    SCOPED_TRACE(batch);
    const std::string file = folder_.write("mixed.jsonl", mixed_lines());
    const ProcessResult result = score({file, "--batch-size", batch, "--quiet"});
    ASSERT_EQ(result.code, 0) << result.err;
    const std::vector<Json> lines = lines_of(result.out);
    ASSERT_EQ(lines.size(), 7u);
    const std::vector<int> numbers{1, 2, 4, 5, 6, 7, 8};
    const std::vector<const char*> ids{"first", "", "", "", "6", "", "mixed:8"};
    for (std::size_t i = 0; i < 7; ++i) {
      EXPECT_EQ(lines[i].at("line"), numbers[i]);
      if (std::string(ids[i]).empty()) {
        EXPECT_THAT(lines[i].at("error"), HasSubstr(fmt::format("mixed.jsonl:{}:", numbers[i])));
        EXPECT_EQ(lines[i].size(), 2u);
      } else {
        EXPECT_EQ(lines[i].at("id"), ids[i]);
      }
    }
  }
}

// The same reply, written by the model or brought by the line, is scored alike: one pass token by token, or
// all at once.
TEST_F(GuardCommand, ScoreWatchesTheReplyAsItIsWritten) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("in.jsonl", R"({"instruction": "tell me how to feed a cat."}
{"instruction": "show me how to weaken a lost and found desk."}
)");
  const ProcessResult written = score({prompts, "--watch", "24"});
  ASSERT_EQ(written.code, 0) << written.err;
  const std::vector<Json> plain = lines_of(score({prompts}).out);
  std::string given;
  const std::vector<Json> lines = lines_of(written.out);
  ASSERT_EQ(lines.size(), 2);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(lines[i].at("reply_from"), "model");
    EXPECT_NEAR(lines[i].at("delta_harmful"), plain[i].at("delta_harmful"), 1e-5);
    given += Json{{"instruction",
                   i == 0 ? "tell me how to feed a cat." : "show me how to weaken a lost and found desk."},
                  {"reply", lines[i].at("reply")}}
                 .dump() +
             "\n";
  }
  const std::vector<Json> again = lines_of(score({folder.write("given.jsonl", given), "--watch", "24"}).out);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(again[i].at("reply_from"), "line");
    const Json& a = lines[i].at("reply_delta_harmful");
    const Json& b = again[i].at("reply_delta_harmful");
    ASSERT_GT(a.size(), 5);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t t = 0; t < a.size(); ++t) EXPECT_NEAR(a[t], b[t], 1e-5) << t;
    const auto first = std::ranges::find_if(a, [](const Json& delta) { return delta > 0; }) - a.begin();
    EXPECT_EQ(lines[i].at("reply_first_above"), first);
  }
}

TEST_F(GuardCommand, ScoreGoesOnBehindRepliesOutsideTheVocabulary) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("in.jsonl", R"({"instruction": "tell me how to feed a cat."}
{"instruction": "tell me how to feed a cat.", "reply_tokens": [1, 999999]}
{"instruction": "tell me how to feed a cat."}
)");
  const std::vector<Json> lines = lines_of(score({prompts, "--watch", "2"}).out);
  ASSERT_EQ(lines.size(), 3);
  EXPECT_THAT(lines[1].at("error").get<std::string>(),
              HasSubstr("in.jsonl:2: a token id outside the vocabulary"));
  EXPECT_TRUE(lines[2].contains("delta_harmful"));
}

TEST_F(GuardCommand, ScoreFailsFastWhereItIsAsked) {
  const std::string file = folder_.write("mixed.jsonl", mixed_lines());
  const ProcessResult result = score({file, "--fail-fast", "--quiet"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("mixed.jsonl:2:"));
  EXPECT_EQ(lines_of(result.out).front().at("id"), "first");
}

TEST_F(GuardCommand, ScoreReadsAnotherField) {
  const std::string file = folder_.write("p.jsonl", R"({"turns": ["how do i bake bread?"]})");
  const ProcessResult result = score({file, "--field", "turns[0]", "--quiet"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(lines_of(result.out).front().at("verdict"), "harmless");
}

TEST_F(GuardCommand, OtherModelsTemplatesAndWidthsAreRefusedBeforeAnythingIsRead) {
  const auto refusal = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"guard", "score", guard(), "/nowhere/lines.jsonl"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = run_hrt(arguments);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    return result.err;
  };
  EXPECT_THAT(refusal({"--model", kProject + "/data/organism/finetuned"}), HasSubstr("another model"));
  EXPECT_THAT(refusal({"--model", tiny_checkpoint("llama-gqa-tied")}), HasSubstr("width 96"));
  EXPECT_THAT(refusal({"--model", kModel, "--template", "llama3"}), HasSubstr("template chatml"));
  EXPECT_THAT(refusal({"--model", kModel}), HasSubstr("/nowhere/lines.jsonl"));
}

// The guard holds the template: the file may be gone, but not be another one.
TEST_F(GuardCommand, ATemplateFileGoesIntoTheGuard) {
  const auto write_template = [&](const std::string& before) {
    return folder_.write("mine.json", R"({"user": {"before": ")" + before + R"("}, "assistant": {},
                                          "generation_prompt": " A:", "system_place": "none"})");
  };
  const std::string prompts =
      folder_.write("p.jsonl", R"({"id": "a", "label": "harmful", "instruction": "Rob a bank."}
{"id": "b", "label": "harmless", "instruction": "Bake bread."})");
  const std::string mine = folder_ / "mine.safetensors";
  const ProcessResult made =
      run_hrt({"extract", "--model", kModel, "--device", "cpu", "--prompts", prompts, "--outcomes", "none",
               "--template", write_template("Q: "), "--out", folder_ / "run"});
  ASSERT_EQ(made.code, 0) << made.err;
  const ProcessResult fitted = run_hrt({"guard", "fit", folder_ / "run", "--out", mine});
  ASSERT_EQ(fitted.code, 0) << fitted.err;
  fs::remove(folder_ / "mine.json");
  const auto score = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"guard", "score", mine, prompts, "--model", kModel, "--device", "cpu"});
    return run_hrt(more);
  };
  const ProcessResult scored = score({});
  ASSERT_EQ(scored.code, 0) << scored.err;
  EXPECT_EQ(lines_of(scored.out)[0].at("verdict"), "harmful");
  EXPECT_EQ(score({"--template", write_template("Q: ")}).code, 0);
  EXPECT_THAT(score({"--template", write_template("Question: ")}).err,
              HasSubstr("--template: the guard was fitted with another template file of the name mine"));
}

TEST_F(GuardCommand, ASignalEndsTheStreamQuietly) {
  const std::string fifo = folder_ / "lines.jsonl";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  int writer = -1;
  const auto is_reading = [&] {
    if (writer >= 0) return true;
    writer = open(fifo.c_str(), O_WRONLY | O_NONBLOCK);  // fails until the other side reads
    return false;
  };
  const ProcessResult result = interrupt_hrt(
      {"guard", "score", guard(), fifo, "--model", kModel, "--device", "cpu"}, is_reading, SIGTERM);
  EXPECT_EQ(result.code, 128 + SIGTERM);
  EXPECT_THAT(result.err, Not(HasSubstr("--resume")));
  close(writer);
}

}  // namespace
}  // namespace hrt::testing
