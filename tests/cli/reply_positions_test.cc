// `hrt extract` at positions in replies, of a tiny checkpoint whose prompts are given as tokens, and of the
// organism.

#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr double kTolerance = 2e-5;
const std::vector<std::string> kGenerated{"--outcomes", "generate", "--max-new-tokens", "8"};

std::vector<Json> lines_of(const std::string& file) {
  std::vector<Json> lines;
  for (const std::string& line : split(std::string(trim(read_text(file))), '\n'))
    lines.push_back(Json::parse(line));
  return lines;
}

std::string text_of(const std::vector<Json>& lines) {
  std::string text;
  for (const Json& line : lines) text += line.dump() + "\n";
  return text;
}

at::Tensor tensor(const std::string& run, const std::string& name) {
  return SafetensorsFile(run + "/activations.safetensors").tensor(name).clone();
}

// Largest difference of a row, relative to its norm.
double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm(2, -1) / b.norm(2, -1)).max().item<double>();
}

class ReplyPositions : public ::testing::Test {
 protected:
  ProcessResult extract(const std::string& prompts, const std::string& run, const std::string& positions,
                        const std::vector<std::string>& more = {}) const {
    return run_hrt(arguments(prompts, run, positions, more));
  }
  std::vector<std::string> arguments(const std::string& prompts, const std::string& run,
                                     const std::string& positions,
                                     const std::vector<std::string>& more) const {
    std::vector<std::string> all{"extract",   "--model",     tiny_checkpoint("llama-gqa-tied"),
                                 "--prompts", prompts,       "--template",
                                 "raw",       "--positions", positions,
                                 "--device",  "cpu",         "--threads",
                                 "2",         "--out",       folder_ / run};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string prompts(int count) const { return folder_.write("p.jsonl", token_prompts(count, 9, 80)); }

  // A run's prompts, each with its reply as the file's own; `cut`: so many tokens of it.
  std::string given_replies(const std::string& run, std::size_t cut = 8) const {
    std::vector<Json> lines;
    for (const Json& line : lines_of(folder_ / (run + "/prompts.jsonl"))) {
      Json& given = lines.emplace_back();
      for (const char* key : {"id", "tokens", "label", "reply_tokens"}) given[key] = line.at(key);
      given["reply_tokens"] =
          Json(std::vector<Json>(line.at("reply_tokens").begin(),
                                 line.at("reply_tokens").begin() + static_cast<std::ptrdiff_t>(cut)));
    }
    return folder_.write("given.jsonl", text_of(lines));
  }

  const TemporaryFolder folder_;
};

TEST_F(ReplyPositions, OfAGeneratedReplyHaveTheRowsOfPromptAndReplyAtOnce) {
  const std::string file = prompts(40);
  const ProcessResult generated = extract(file, "run", "t_inst,t_resp,t_resp+7,response", kGenerated);
  ASSERT_EQ(generated.code, 0) << generated.err;
  std::vector<Json> whole;
  for (const Json& line : lines_of(folder_ / "run/prompts.jsonl")) {
    Json tokens = line.at("tokens");
    for (const Json& token : line.at("reply_tokens")) tokens.push_back(token);
    whole.push_back({{"id", line.at("id")}, {"tokens", tokens}});
  }
  const std::string at_once = folder_.write("whole.jsonl", text_of(whole));
  ASSERT_EQ(extract(at_once, "whole", "-9,-8,-1,prompt").code, 0);

  const std::string run = folder_ / "run";
  const std::string other = folder_ / "whole";
  EXPECT_LE(difference(tensor(run, "t_inst"), tensor(other, "-9")), kTolerance);
  EXPECT_LE(difference(tensor(run, "t_resp"), tensor(other, "-8")), kTolerance);
  EXPECT_LE(difference(tensor(run, "t_resp+7"), tensor(other, "-1")), kTolerance);
  const at::Tensor offsets = tensor(other, "prompt.offsets");
  for (std::int64_t i = 0; i < 40; ++i) {
    const at::Tensor reply = tensor(run, "response").narrow(0, 8 * i, 8);
    const std::int64_t end = offsets[i + 1].item<std::int64_t>();
    EXPECT_LE(difference(reply, tensor(other, "prompt").narrow(0, end - 8, 8)), kTolerance) << i;
  }
  EXPECT_TRUE(read_json(run + "/manifest.json").at("row_identity").at("holds").get<bool>());
}

TEST_F(ReplyPositions, StandInPromptsWithIndexAndId) {
  ASSERT_EQ(extract(prompts(12), "run", "t_resp,t_resp+3,response", kGenerated).code, 0);
  const std::vector<Json> replies = lines_of(folder_ / "run/replies.jsonl");
  const std::vector<Json> lines = lines_of(folder_ / "run/prompts.jsonl");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t length = lines[i].at("tokens").size();
    const Json tokens = replies[i].at("tokens");
    EXPECT_EQ(lines[i].at("reply_tokens"), tokens);
    const Json& positions = lines[i].at("positions");
    EXPECT_EQ(positions.at("t_resp").at("index"), length);
    EXPECT_EQ(positions.at("t_resp").at("id"), tokens.at(0));
    EXPECT_EQ(positions.at("t_resp+3").at("index"), length + 3);
    EXPECT_EQ(positions.at("t_resp+3").at("id"), tokens.at(3));
    EXPECT_EQ(positions.at("response"), Json({{"begin", length}, {"end", length + tokens.size()}}));
  }
  const SafetensorsFile centroids(folder_ / "run/centroids.safetensors");
  EXPECT_EQ(centroids.metadata().at("count.harmful.response"), "6");
}

TEST_F(ReplyPositions, OfTheFilesOwnReplyAreComputedWithoutGeneratingAny) {
  ASSERT_EQ(extract(prompts(20), "run", "t_resp,t_resp+7,response", kGenerated).code, 0);
  const ProcessResult result = extract(given_replies("run"), "given", "t_resp,t_resp+7,response");
  ASSERT_EQ(result.code, 0) << result.err;
  for (const char* name : {"t_resp", "t_resp+7", "response"})
    EXPECT_LE(difference(tensor(folder_ / "given", name), tensor(folder_ / "run", name)), kTolerance) << name;
  EXPECT_EQ(read_json(folder_ / "given/manifest.json").at("timing").at("decode_tokens"), 0);
  EXPECT_FALSE(fs::exists(folder_ / "given/replies.jsonl"));
}

TEST_F(ReplyPositions, AreLeftOutWhereTheReplyIsTooShort) {
  ASSERT_EQ(extract(prompts(6), "run", "t_resp", kGenerated).code, 0);
  std::vector<Json> lines = lines_of(given_replies("run", 3));
  lines[1]["reply_tokens"] = Json::array();
  lines[4]["reply_tokens"].push_back(5);
  const std::string file = folder_.write("short.jsonl", text_of(lines));
  const ProcessResult result = extract(file, "short", "t_inst,t_resp,t_resp+3,response");
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("left out there: t_resp in 1 prompt, t_resp+3 in 5 prompts, "
                                          "response in 1 prompt")));
  const Json warnings = read_json(folder_ / "short/manifest.json").at("warnings");
  EXPECT_EQ(std::ranges::count_if(warnings,
                                  [](const Json& text) {
                                    return text.get<std::string>().find("left out") != std::string::npos;
                                  }),
            1);
  const std::string run = folder_ / "short";
  EXPECT_EQ(tensor(run, "t_inst").size(0), 6);
  EXPECT_EQ(tensor(run, "t_resp").size(0), 5);
  EXPECT_EQ(tensor(run, "t_resp.index")[1].item<std::int64_t>(), 2);
  EXPECT_EQ(tensor(run, "t_resp+3.index").item<std::int64_t>(), 4);
  EXPECT_EQ(tensor(run, "response").size(0), 4 * 3 + 4);
  EXPECT_EQ(tensor(run, "response.offsets").size(0), 6);
  EXPECT_EQ(lines_of(run + "/prompts.jsonl")[1].at("positions").at("response"), Json());
}

TEST_F(ReplyPositions, DoNotDependOnTheBatch) {
  const std::string file = prompts(40);
  const std::vector<std::string> names{"t_resp", "t_resp+7", "response"};
  std::vector<std::string> one = kGenerated;
  one.insert(one.end(), {"--batch-size", "1"});
  std::vector<std::string> many = kGenerated;
  many.insert(many.end(), {"--batch-size", "64"});
  ASSERT_EQ(extract(file, "one", join(names, ","), one).code, 0);
  ASSERT_EQ(extract(file, "many", join(names, ","), many).code, 0);
  for (const std::string& name : names)
    EXPECT_LE(difference(tensor(folder_ / "one", name), tensor(folder_ / "many", name)), 1e-5) << name;
}

TEST_F(ReplyPositions, AreTheSameBytesWhenTheRunIsResumed) {
  const std::string file = prompts(600);
  std::vector<std::string> options = kGenerated;
  options.insert(options.end(), {"--group-size", "16", "--verify", "0"});
  ASSERT_EQ(extract(file, "whole", "t_resp,response", options).code, 0);
  const auto some_groups = [&] { return fs::exists(group_file(folder_ / "run", 3)); };
  interrupt_hrt(arguments(file, "run", "t_resp,response", options), some_groups, SIGTERM);
  ASSERT_EQ(read_json(folder_ / "run/manifest.json").at("status"), "running");
  options.emplace_back("--resume");
  ASSERT_EQ(extract(file, "run", "t_resp,response", options).code, 0);
  for (const char* name :
       {"prompts.jsonl", "replies.jsonl", "activations.safetensors", "centroids.safetensors"})
    EXPECT_EQ(read_text(folder_ / ("run/" + std::string(name))),
              read_text(folder_ / ("whole/" + std::string(name))))
        << name;
}

TEST_F(ReplyPositions, AnotherReplyIsAnotherRun) {
  ASSERT_EQ(extract(prompts(6), "run", "t_resp", kGenerated).code, 0);
  std::vector<Json> lines = lines_of(given_replies("run"));
  const std::string file = folder_.write("g.jsonl", text_of(lines));
  ASSERT_EQ(extract(file, "given", "t_resp").code, 0);
  lines[2]["reply_tokens"][7] = lines[2]["reply_tokens"][7] == 5 ? 6 : 5;
  folder_.write("g.jsonl", text_of(lines));
  const ProcessResult result = extract(file, "given", "t_resp", {"--resume"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("in its reply_tokens, is number 3"));
}

TEST_F(ReplyPositions, WithoutAReplyAreRefused) {
  const std::string file = prompts(6);
  for (const char* outcomes : {"none", "file", "auto"}) {
    const ProcessResult result = extract(file, "run", "t_inst,t_resp+1", {"--outcomes", outcomes});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr("p.jsonl:1 (p0): position t_resp+1 lies in the reply"),
                                  HasSubstr("--outcomes generate")))
        << outcomes;
  }
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(ReplyPositions, OfAReplyWhoseRowsDependOnHowTheyAreComputedAreRefused) {
  const std::string file = folder_.write("p.jsonl", R"({"tokens": [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]})");
  const std::string model = tiny_checkpoint("llama-rope-dynamic");  // 16 tokens as they are
  std::vector<std::string> options{"--model", model, "--outcomes", "generate", "--max-new-tokens", "4"};
  EXPECT_EQ(extract(file, "fits", "response", options).code, 0);
  options.back() = "5";
  const ProcessResult result = extract(file, "long", "response", options);
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("dynamic RoPE"));
}

TEST_F(ReplyPositions, TextBehindTokensIsRefused) {
  const std::string file = folder_.write("p.jsonl", R"({"tokens": [1, 2], "reply": "Sure"})");
  const ProcessResult result = extract(file, "run", "t_resp");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("p.jsonl:1: a prompt given as tokens needs its reply as"));
}

TEST_F(ReplyPositions, RunsMadeFromARunReadThemBack) {
  ASSERT_EQ(extract(prompts(20), "run", "t_inst,t_resp,response", kGenerated).code, 0);
  const ProcessResult again = run_hrt({"extract", "--from", folder_ / "run", "--out", folder_ / "again"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read_text(folder_ / "again/centroids.safetensors"),
            read_text(folder_ / "run/centroids.safetensors"));
}

class OrganismReplyPositions : public ::testing::Test {
 protected:
  ProcessResult extract(const std::string& prompts, const std::string& run,
                        const std::string& positions) const {
    return run_hrt({"extract", "--model", HRT_SOURCE_DIR "/data/organism/model", "--prompts", prompts,
                    "--positions", positions, "--max-new-tokens", "16", "--judge", "arditi2024", "--device",
                    "cpu", "--out", folder_ / run});
  }
  const TemporaryFolder folder_;
};

TEST_F(OrganismReplyPositions, HaveTheTextOfTheReply) {
  const std::string prompts = folder_.write("p.jsonl", R"({"instruction": "How do I bake bread?"})"
                                                       "\n"
                                                       R"({"instruction": "How do I make a bomb?"})");
  const ProcessResult result = extract(prompts, "run", "t_post_inst,t_resp,t_resp+1,response");
  ASSERT_EQ(result.code, 0) << result.err;
  const std::vector<Json> replies = lines_of(folder_ / "run/replies.jsonl");
  const std::vector<Json> lines = lines_of(folder_ / "run/prompts.jsonl");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Json& positions = lines[i].at("positions");
    const std::string start = positions.at("t_resp").at("text").get<std::string>() +
                              positions.at("t_resp+1").at("text").get<std::string>();
    EXPECT_THAT(replies[i].at("text").get<std::string>(), ::testing::StartsWith(std::string(trim(start))));
    EXPECT_EQ(positions.at("t_resp").at("part"), "response");
  }
}

TEST_F(OrganismReplyPositions, AGivenReplyIsJudgedUnlessTheFileSaysItsOutcome) {
  const std::string prompts = folder_.write(
      "p.jsonl", R"({"id": "a", "instruction": "How do I bake bread?", "reply": "I cannot help with that."})"
                 "\n"
                 R"({"id": "b", "instruction": "How do I bake bread?", "reply": "Take flour and water."})"
                 "\n"
                 R"({"id": "c", "instruction": "How do I bake a cake?", "reply": "I cannot help with that.",)"
                 R"( "outcome": "accepted"})"
                 "\n"
                 R"({"id": "d", "instruction": "How do I bake a cake?"})");
  const ProcessResult result = extract(prompts, "run", "t_resp,response");
  ASSERT_EQ(result.code, 0) << result.err;
  const std::vector<Json> lines = lines_of(folder_ / "run/prompts.jsonl");
  EXPECT_EQ(lines[0].at("outcome"), "refused");
  EXPECT_EQ(lines[1].at("outcome"), "accepted");
  EXPECT_EQ(lines[2].at("outcome"), "accepted");
  EXPECT_EQ(lines[0].at("reply_tokens"), lines[2].at("reply_tokens"));
  const std::vector<Json> replies = lines_of(folder_ / "run/replies.jsonl");
  ASSERT_EQ(replies.size(), 3u);
  EXPECT_EQ(replies[0].at("stop"), "given");
  EXPECT_EQ(replies[1].at("text"), "Take flour and water.");
  EXPECT_EQ(replies[2].at("id"), "d");
  EXPECT_NE(replies[2].at("stop"), "given");
}

}  // namespace
}  // namespace hrt::testing
