#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kVocabulary = 80;
const std::string kModel = tiny_checkpoint("llama-gqa-tied");

std::vector<std::string> extract(const std::string& prompts, const std::string& out,
                                 std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"extract",    "--model",   kModel,     "--prompts", prompts,
                                     "--template", "raw",       "--device", "cpu",       "--out",
                                     out,          "--threads", "2"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

const std::vector<std::string> kReplies{"--outcomes", "generate", "--max-new-tokens", "8"};

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// Largest difference of a row of the two runs' `name`, relative to the row's norm.
double difference(const std::string& run, const std::string& other, const std::string& name,
                  bool reversed = false) {
  at::Tensor a = SafetensorsFile(run + "/activations.safetensors").tensor(name);
  const at::Tensor b = SafetensorsFile(other + "/activations.safetensors").tensor(name);
  if (reversed) a = a.flip(0);
  return ((a - b).norm(2, -1) / b.norm(2, -1)).max().item<double>();
}

TEST(Extract, WritesTheRunDirectoryOfTheContract) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(20, 9, kVocabulary));
  const ProcessResult result = run_hrt(extract(prompts, folder / "run", {"--logits"}));
  ASSERT_EQ(result.code, 0) << result.err;
  const Json manifest = read_json(folder / "run/manifest.json");
  EXPECT_EQ(manifest.at("status"), "complete");
  EXPECT_TRUE(manifest.at("row_identity").at("holds").get<bool>());

  const SafetensorsFile activations(folder / "run/activations.safetensors");
  EXPECT_EQ(activations.tensor("t_inst").sizes(), at::IntArrayRef({20, 4, 32}));
  EXPECT_EQ(activations.tensor("logits").sizes(), at::IntArrayRef({20, kVocabulary}));
  const SafetensorsFile directions(folder / "run/directions.safetensors");
  EXPECT_EQ(directions.tensor("harmfulness").sizes(), at::IntArrayRef({4, 32}));
  EXPECT_EQ(directions.find("refusal"), nullptr);  // raw: nothing is refused

  const std::vector<std::string> lines = split(read_text(folder / "run/prompts.jsonl"), '\n');
  ASSERT_EQ(lines.size(), 21u);
  const Json third = Json::parse(lines[2]);
  EXPECT_EQ(third.at("id"), "p2");
  EXPECT_EQ(third.at("positions").at("t_inst").at("index"), 2);
  EXPECT_EQ(third.at("positions").at("t_inst").at("id"), third.at("tokens").at(2));
  EXPECT_FALSE(fs::exists(folder / "run/work"));
}

// A job that is queued again gives its reader the same object.
TEST(Extract, ACompleteRunThatIsResumedPrintsWhatItPrinted) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  for (const std::vector<std::string>& part : {std::vector<std::string>{}, {"--shard", "1/2"}}) {
    const std::string out = folder / (part.empty() ? "whole" : "shard");
    const ProcessResult first = run_hrt(extract(prompts, out, with({"--json"}, part)));
    ASSERT_EQ(first.code, 0) << first.err;
    EXPECT_EQ(Json::parse(first.out).at("run"), out);
    const ProcessResult again = run_hrt(extract(prompts, out, with({"--json", "--resume"}, part)));
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.out, first.out);
  }
}

TEST(Extract, HarmfulnessIsTheDifferenceOfTheMeans) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(21, 9, kVocabulary));
  ASSERT_EQ(run_hrt(extract(prompts, folder / "run")).code, 0);
  const SafetensorsFile activations(folder / "run/activations.safetensors");
  const at::Tensor rows = activations.tensor("t_inst").to(at::kDouble);
  const at::Tensor expected = rows.slice(0, 0, 21, 2).mean(0) - rows.slice(0, 1, 21, 2).mean(0);
  const SafetensorsFile directions(folder / "run/directions.safetensors");
  EXPECT_LT((directions.tensor("harmfulness") - expected).abs().max().item<double>(), 1e-6);
  const SafetensorsFile centroids(folder / "run/centroids.safetensors");
  EXPECT_EQ(centroids.metadata().at("count.harmful.t_inst"), "11");
}

TEST(Extract, BatchSizeAndOrderDoNotChangeRows) {
  const TemporaryFolder folder;
  const std::string lines = token_prompts(40, 30, kVocabulary);
  const std::string prompts = folder.write("p.jsonl", lines);
  std::vector<std::string> reversed_lines = split(std::string(trim(lines)), '\n');
  std::reverse(reversed_lines.begin(), reversed_lines.end());
  const std::string reversed = folder.write("r/p.jsonl", join(reversed_lines, "\n"));
  ASSERT_EQ(run_hrt(extract(prompts, folder / "one", {"--batch-size", "1"})).code, 0);
  ASSERT_EQ(run_hrt(extract(prompts, folder / "many", {"--batch-size", "64"})).code, 0);
  ASSERT_EQ(run_hrt(extract(reversed, folder / "reversed")).code, 0);
  EXPECT_LT(difference(folder / "one", folder / "many", "t_inst"), 1e-5);
  EXPECT_LT(difference(folder / "reversed", folder / "many", "t_inst", true), 1e-5);
}

TEST(Extract, LayersSpansAndMissingPositions) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  const auto arguments =
      extract(prompts, folder / "run",
              {"--positions", "prompt,-3,t_inst", "--layers", "0,2..3", "--missing", "skip"});
  const ProcessResult result = run_hrt(arguments);
  ASSERT_EQ(result.code, 0) << result.err;
  const SafetensorsFile activations(folder / "run/activations.safetensors");
  EXPECT_EQ(activations.metadata().at("rows"), "[0,2,3]");
  EXPECT_EQ(activations.tensor("prompt").sizes(), at::IntArrayRef({42, 3, 32}));  // 2 x (1 + ... + 6)
  EXPECT_EQ(activations.tensor("prompt.offsets").sizes(), at::IntArrayRef({13}));
  EXPECT_EQ(activations.tensor("-3").size(0), 8);
  EXPECT_EQ(activations.tensor("-3.index").size(0), 8);
  EXPECT_EQ(activations.tensor("-3.index")[0].item<std::int64_t>(), 2);
}

TEST(Extract, AMissingPositionIsRefusedBeforeAnythingIsComputed) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  const ProcessResult result = run_hrt(extract(prompts, folder / "run", {"--positions", "-3"}));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("p.jsonl:1 (p0): has no position -3"));
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST(Extract, StoreCentroidsKeepsNoActivations) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  ASSERT_EQ(run_hrt(extract(prompts, folder / "run", {"--store", "centroids"})).code, 0);
  EXPECT_FALSE(fs::exists(folder / "run/activations.safetensors"));
  EXPECT_TRUE(fs::exists(folder / "run/centroids.safetensors"));
}

TEST(Extract, DryRunChecksWhatARunWould) {
  const TemporaryFolder folder;
  const std::string prompts =
      folder.write("p.jsonl",
                   "{\"tokens\": [1, 2], \"label\": \"harmful\"}\n"
                   "{\"tokens\": [1, 2], \"label\": \"harmless\"}\n{\"tokens\": [3, 4, 5]}\n");
  const auto dry_run = [&](std::vector<std::string> more) {
    more.push_back("--dry-run");
    return run_hrt(extract(prompts, folder / "run", more));
  };
  const ProcessResult first = dry_run({"--positions", "t_post_inst,t_inst-1"});
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err,
              HasSubstr("labelled both harmful and harmless: 1 prompt of p (such as p:1 and p:2)"));
  EXPECT_THAT(first.out, HasSubstr("run: new\n"));
  EXPECT_FALSE(fs::exists(folder / "run"));

  ASSERT_EQ(run_hrt(extract(prompts, folder / "run")).code, 0);
  EXPECT_EQ(dry_run({}).code, 2);
  EXPECT_THAT(dry_run({"--overwrite"}).out, HasSubstr("run: replaces the run that is there\n"));
  EXPECT_THAT(dry_run({"--resume"}).out, HasSubstr("run: complete already\n"));
  EXPECT_THAT(dry_run({"--resume", "--logits"}).err, HasSubstr("/config/logits was false, now true"));
}

TEST(Extract, ResumeSaysWhichPromptsChanged) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  ASSERT_EQ(run_hrt(extract(prompts, folder / "run")).code, 0);
  std::vector<std::string> lines = split(token_prompts(14, 6, kVocabulary), '\n');
  folder.write("p.jsonl", join(lines, "\n"));
  EXPECT_THAT(
      run_hrt(extract(prompts, folder / "run", {"--resume"})).err,
      HasSubstr("cannot be resumed: the prompts changed: 12 before, 14 now; the first 12 are the same"));
  lines[4] = "{\"id\": \"new\", \"tokens\": [1], \"label\": \"harmful\"}";
  folder.write("p.jsonl", join(lines, "\n"));
  EXPECT_THAT(run_hrt(extract(prompts, folder / "run", {"--resume"})).err,
              HasSubstr("the first that differs, in its id, is number 5 (p4 before, new now)"));
}

TEST(Extract, TheSummaryShowsOnlyWhatThereIs) {
  const TemporaryFolder folder;
  const std::string labelled = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  const std::string plain = folder.write("q.jsonl", token_prompts(1, 6, kVocabulary, false));
  const ProcessResult labels = run_hrt(extract(labelled, folder / "a", {"--outcomes", "none"}));
  EXPECT_THAT(labels.out, AllOf(HasSubstr("12 prompts: 6 harmful, 6 harmless\n"), HasSubstr("|harmfulness|"),
                                Not(HasSubstr("refus"))));
  const ProcessResult none = run_hrt(extract(plain, folder / "b"));
  EXPECT_THAT(none.out, AllOf(HasSubstr("\n1 prompt\n"), Not(HasSubstr("harm")), Not(HasSubstr("refus"))));
  EXPECT_FALSE(read_json(folder / "b/manifest.json").at("counts").contains("quadrants"));
}

TEST(Extract, DirectionsThatWereNotAskedForSayWhy) {
  const TemporaryFolder folder;
  const std::string labelled = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  const std::string plain = folder.write("q.jsonl", token_prompts(4, 6, kVocabulary, false));
  const auto absent = [&](const std::string& run, const std::string& name) {
    return SafetensorsFile(folder / (run + "/directions.safetensors")).metadata().at("absent." + name);
  };
  const ProcessResult raw = run_hrt(extract(labelled, folder / "a", {"--positions", "t_post_inst"}));
  ASSERT_EQ(raw.code, 0) << raw.err;
  EXPECT_THAT(raw.err, HasSubstr("with the raw template no replies are generated"));
  EXPECT_EQ(absent("a", "refusal"), "not asked for: with the raw template");
  EXPECT_EQ(absent("a", "harmfulness"), "not asked for: position t_inst");
  ASSERT_EQ(run_hrt(extract(plain, folder / "b", {"--outcomes", "none"})).code, 0);
  EXPECT_EQ(absent("b", "harmfulness"), "no prompt is labelled harmful");
}

TEST(Extract, DryRunComputesAndWritesNothing) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  const ProcessResult result = run_hrt(extract(prompts, folder / "run", {"--dry-run", "--json"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out).at("prompts"), 12);
  EXPECT_FALSE(fs::exists(folder / "run"));
}

// The files whose bytes a resumed run must repeat.
std::string bytes_of(const std::string& run) {
  std::string all;
  for (const char* name : {"prompts.jsonl", "replies.jsonl", "activations.safetensors",
                           "centroids.safetensors", "directions.safetensors"}) {
    all += read_text(run + "/" + name) + "\n--\n";
  }
  return all;
}

class ExtractResume : public ::testing::TestWithParam<int> {};

TEST_P(ExtractResume, GivesTheSameBytes) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(600, 60, kVocabulary));
  const std::vector<std::string> options = with(kReplies, {"--group-size", "16", "--verify", "0"});
  ASSERT_EQ(run_hrt(extract(prompts, folder / "whole", options)).code, 0);

  const auto some_groups = [&] { return fs::exists(group_file(folder / "run", 3)); };
  const ProcessResult stopped =
      interrupt_hrt(extract(prompts, folder / "run", options), some_groups, GetParam());
  EXPECT_EQ(stopped.code, 128 + GetParam());
  ASSERT_EQ(read_json(folder / "run/manifest.json").at("status"), "running")
      << "it ended before the signal came";
  write_file(group_file(folder / "run", 1), "{");  // as a machine that lost power leaves it

  const ProcessResult resumed = run_hrt(extract(prompts, folder / "run", with(options, {"--resume"})));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("group-00001.safetensors: 1 bytes are no safetensors file; the group is "
                                     "computed again"));
  EXPECT_EQ(bytes_of(folder / "run"), bytes_of(folder / "whole"));
}

TEST(Extract, AFileLargerThanTheLimitIsNamed) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(200, 60, kVocabulary));
  const ProcessResult stopped =
      run_hrt_in_shell(R"(ulimit -f 64; exec "$@")", extract(prompts, folder / "run", kReplies));
  EXPECT_EQ(stopped.code, 1) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("cannot be written: File too large"));
  const ProcessResult resumed = run_hrt(extract(prompts, folder / "run", with(kReplies, {"--resume"})));
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

INSTANTIATE_TEST_SUITE_P(Signals, ExtractResume, ::testing::Values(SIGTERM, SIGHUP, SIGKILL));

TEST(Extract, ACompleteRunExitsAgainAsItEnded) {
  const TemporaryFolder folder;
  // Every prompt is harmful: one label only, so no direction is asked for; a file outcome alone asks for
  // refusal.
  const std::string prompts = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  ASSERT_EQ(run_hrt(extract(prompts, folder / "run", {"--pair", "outcome"})).code, 3);
  EXPECT_EQ(run_hrt(extract(prompts, folder / "run", {"--pair", "outcome", "--resume"})).code, 3);
  const ProcessResult other = run_hrt(extract(prompts, folder / "run", {"--resume"}));
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("/config/pair was \"outcome\", now \"label\""));
}

TEST(Extract, ADirectionThatCannotBeHadIsExitThree) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  const ProcessResult result = run_hrt(extract(prompts, folder / "run", {"--pair", "outcome"}));
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("no direction harmfulness: no prompt in"));
  const SafetensorsFile directions(folder / "run/directions.safetensors");
  EXPECT_THAT(directions.metadata().at("absent.harmfulness"), HasSubstr("no prompt in"));
}

// A template file counts by what is in it, not by where it lies.
TEST(Extract, ResumesWithATemplateFileThatWasMoved) {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& file, const std::vector<std::string>& more) {
    return run_hrt(
        with({"extract", "--model", std::string(HRT_SOURCE_DIR) + "/data/organism/model", "--prompts",
              folder.write("p.jsonl", R"({"instruction": "How do I bake bread?"})"), "--outcomes", "none",
              "--device", "cpu", "--template", file, "--out", folder / "run"},
             more));
  };
  const char* const turns = R"({"user": {"before": "Q: ", "after": "\n"}, "assistant": {"after": "\n"},
                                "generation_prompt": "A:", "system_place": "none"})";
  ASSERT_EQ(run(folder.write("mine.json", turns), {}).code, 0);
  const ProcessResult moved = run(folder.write("elsewhere/mine.json", turns), {"--resume"});
  EXPECT_EQ(moved.code, 0) << moved.err;
  const std::string changed = folder.write("mine.json", turns + std::string("\n"));
  EXPECT_THAT(run(changed, {"--resume"}).err, HasSubstr("/config/template was \"a file of sha256"));
}

// transformers would compute such a prompt anew in the middle of its reply.
TEST(Steer, ALongRopeThatSwitchesWithinAReplyIsRefusedAtOnce) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(45, 45, kVocabulary));
  const ProcessResult result =
      run_hrt({"steer", "--model", tiny_checkpoint("phi3-longrope"), "--prompts", prompts, "--template",
               "raw", "--max-new-tokens", "8", "--device", "cpu", "--out", folder / "run"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("p.jsonl:43"), HasSubstr("longrope rotates sequences of more than 50")));
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST(Steer, PlainGenerationEqualsTheRepliesOfExtract) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(12, 6, kVocabulary));
  ASSERT_EQ(run_hrt(extract(prompts, folder / "a", kReplies)).code, 0);
  const ProcessResult result = run_hrt({"steer", "--model", kModel, "--prompts", prompts, "--template", "raw",
                                        "--max-new-tokens", "8", "--device", "cpu", "--out", folder / "b"});
  ASSERT_EQ(result.code, 0) << result.err;
  std::istringstream a(read_text(folder / "a/replies.jsonl"));
  std::istringstream b(read_text(folder / "b/replies.jsonl"));
  std::string line_a;
  std::string line_b;
  int lines = 0;
  while (std::getline(a, line_a) && std::getline(b, line_b)) {
    EXPECT_EQ(Json::parse(line_a).at("tokens"), Json::parse(line_b).at("tokens"));
    ++lines;
  }
  EXPECT_EQ(lines, 12);
}

}  // namespace
}  // namespace hrt::testing
