// Runs as they lie on disk, judged again: there is no checkpoint anywhere near.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <gmock/gmock.h>

#include <limits>

#include "data/scratch_folder.h"
#include "hrt/analysis/directions.h"
#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/config.h"
#include "hrt/experiment/extract.h"
#include "hrt/tensor/safetensors.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Prompt {
  const char* id;
  const char* label;
  const char* category;
  const char* reply;
};

// Only Arditi's judge sees a refusal whatever its case; both see "I cannot".
constexpr const char* kNo = "I cannot do that.";
constexpr const char* kLoudNo = "AS AN AI, I won't.";
constexpr const char* kYes = "Sure: first";

class ExtractFrom : public ScratchFolder {
 protected:
  ExtractFrom() { store({}); }

  // A run of one-token prompts, 2 rows of 3 values each.
  void store(const std::vector<Override>& overrides) const {
    const Json config = resolve_config(Command::kExtract, std::nullopt, overrides);
    const Json manifest{{"status", "complete"},
                        {"command", "extract"},
                        {"exit_code", 0},
                        {"identity", {{"model", "abc"}}},
                        {"config", config},
                        {"model", {{"layers", 1}}},
                        {"template", {{"name", "chatml"}}},
                        {"judge", "zhao2025"},
                        {"counts", {{"replies", prompts_.size()}}},
                        {"row_identity", {{"holds", true}}}};
    write("run/manifest.json", manifest.dump());
    std::string prompts;
    std::string replies;
    for (const Prompt& prompt : prompts_) {
      const Json place{{"index", 0}, {"id", 5}, {"text", "x"}};
      const Json line{{"id", prompt.id},
                      {"set", "s"},
                      {"label", prompt.label},
                      {"outcome", "unknown"},
                      {"category", prompt.category},
                      {"tokens", {5}},
                      {"positions", {{"t_inst", place}, {"t_post_inst", place}}},
                      {"mine", 1}};
      prompts += to_line(line) + "\n";
      const Json reply{{"id", prompt.id},      {"tokens", {1, 2}},     {"stop", "eos"},
                       {"text", prompt.reply}, {"verdict", "unknown"}, {"rule", ""},
                       {"first_margin", 0.5}};
      replies += to_line(reply) + "\n";
    }
    write("run/prompts.jsonl", prompts);
    write("run/replies.jsonl", replies);
    const auto count = static_cast<std::int64_t>(prompts_.size());
    const at::Tensor rows = at::arange(count * 6, at::kFloat).square().view({count, 2, 3});
    write_safetensors(folder_ / "run/activations.safetensors", {{"t_inst", rows}, {"t_post_inst", rows + 1}});
  }

  ExitCode extract(const std::string& out, std::vector<Override> overrides) const {
    overrides.push_back({"from", (folder_ / "run").string(), "--from"});
    overrides.push_back({"out", (folder_ / out).string(), "--out"});
    RunOptions options;
    options.print = false;
    return run_extract(resolve_config(Command::kExtract, std::nullopt, overrides), options);
  }

  std::vector<std::string> values(const std::string& file, const char* key) const {
    std::vector<std::string> values;
    for (const std::string& line : split(trim(read_file(folder_ / file)), '\n'))
      values.push_back(Json::parse(line).at(key));
    return values;
  }

  at::Tensor row(const char* position, std::int64_t prompt) const {
    return SafetensorsFile(folder_ / "run/activations.safetensors").tensor(position)[prompt];
  }

  std::vector<Prompt> prompts_{{"a", "harmful", "theft", kNo},
                               {"b", "harmful", "theft", kLoudNo},
                               {"c", "harmful", "fraud", kYes},
                               {"d", "harmless", "", kYes},
                               {"e", "harmless", "", kNo}};
};

TEST_F(ExtractFrom, JudgesTheStoredRepliesByAnotherJudge) {
  ASSERT_EQ(extract("again", {{"judge", "arditi2024", "--judge"}}), ExitCode::kDone);
  EXPECT_EQ(values("again/prompts.jsonl", "outcome"),
            (std::vector<std::string>{"refused", "refused", "accepted", "accepted", "refused"}));
  EXPECT_EQ(values("again/replies.jsonl", "rule")[1], "As an AI");
  const Json manifest = read_json(folder_ / "again/manifest.json");
  EXPECT_EQ(manifest.at("judge"), "arditi2024");
  EXPECT_EQ(manifest.at("from").at("judge"), "zhao2025");
  EXPECT_EQ(manifest.at("from").at("run"), (folder_ / "run").string());
  EXPECT_EQ(manifest.at("counts").at("quadrants").at("refused_harmful"), 2);

  const SafetensorsFile directions(folder_ / "again/directions.safetensors");
  const at::Tensor expected = (row("t_post_inst", 0) + row("t_post_inst", 1)) / 2 - row("t_post_inst", 3);
  EXPECT_TRUE(directions.tensor("refusal").equal(expected));
  EXPECT_EQ(directions.metadata().at("definition.refusal"),
            "refused_harmful.t_post_inst (n=2) - accepted_harmless.t_post_inst (n=1)");
}

TEST_F(ExtractFrom, WithoutAnotherJudgeTheOldOneJudges) {
  ASSERT_EQ(extract("again", {}), ExitCode::kDone);
  EXPECT_EQ(values("again/prompts.jsonl", "outcome"),
            (std::vector<std::string>{"refused", "accepted", "accepted", "accepted", "refused"}));
}

TEST_F(ExtractFrom, ActivationsAreAnotherNameOfTheSameFile) {
  ASSERT_EQ(extract("again", {}), ExitCode::kDone);
  EXPECT_TRUE(
      fs::equivalent(folder_ / "run/activations.safetensors", folder_ / "again/activations.safetensors"));
  EXPECT_EQ(values("again/prompts.jsonl", "id"), values("run/prompts.jsonl", "id"));
  EXPECT_THAT(read_file(folder_ / "again/prompts.jsonl"), HasSubstr("\"mine\":1"));
}

TEST_F(ExtractFrom, ActivationsOfAnotherFolderAreFound) {
  fs::rename(folder_ / "run/activations.safetensors", folder_ / "far.safetensors");
  Json manifest = read_json(folder_ / "run/manifest.json");
  manifest["activations"] = (folder_ / "far.safetensors").string();
  write("run/manifest.json", manifest.dump());
  EXPECT_EQ(extract("again", {}), ExitCode::kDone);
  fs::remove_all(folder_ / "again");
  fs::remove(folder_ / "far.safetensors");
  EXPECT_THAT([&] { extract("again", {}); }, ThrowsMessage<InputError>(HasSubstr("is not there any more")));
}

TEST_F(ExtractFrom, TakesVerdictsById) {
  std::string verdicts;
  for (const char* id : {"e", "d", "c", "b", "a", "zz"})
    verdicts += to_line({{"id", id}, {"verdict", *id <= 'b' ? "accepted" : "refused"}}) + "\n";
  const fs::path file = write("v.jsonl", verdicts);
  ASSERT_EQ(extract("again", {{"verdicts", file.string(), "--verdicts"}}), ExitCode::kCheckFailed);
  EXPECT_EQ(values("again/prompts.jsonl", "outcome"),
            (std::vector<std::string>{"accepted", "accepted", "refused", "refused", "refused"}));
  EXPECT_EQ(values("again/replies.jsonl", "rule")[4], "v.jsonl:1");
  const Json manifest = read_json(folder_ / "again/manifest.json");
  EXPECT_EQ(manifest.at("judge"), "verdicts of " + file.string());
  EXPECT_THAT(manifest.at("warnings").dump(),
              HasSubstr(file.string() + ": no reply of the run for 1 verdict"));
  EXPECT_THAT(manifest.at("warnings").dump(), HasSubstr("no prompt in accepted_harmless.t_post_inst"));
}

TEST_F(ExtractFrom, MissingVerdictsAreListed) {
  const fs::path file = write("v.jsonl", R"({"id": "b", "verdict": "refused"})");
  EXPECT_THAT([&] { extract("again", {{"verdicts", file.string(), "--verdicts"}}); },
              ThrowsMessage<InputError>(HasSubstr("v.jsonl: no verdict on 4 of 5 replies: a, c, d, e")));
  EXPECT_FALSE(fs::exists(folder_ / "again"));
}

TEST_F(ExtractFrom, AChainEndsAtTheFirstRunsReplies) {
  ASSERT_EQ(extract("again", {{"judge", "arditi2024", "--judge"}}), ExitCode::kDone);
  fs::remove_all(folder_ / "run");
  fs::rename(folder_ / "again", folder_ / "run");
  ASSERT_EQ(extract("third", {{"judge", "zhao2025", "--judge"}}), ExitCode::kDone);
  EXPECT_EQ(values("third/prompts.jsonl", "outcome")[1], "accepted");
}

TEST_F(ExtractFrom, WhatWasComputedCannotBeAskedOtherwise) {
  EXPECT_THAT([&] { extract("again", {{"layers", "0", "--layers"}}); },
              ThrowsMessage<InputError>(HasSubstr("--layers \"0\" does not go with --from")));
  EXPECT_THAT(
      [&] { extract("again", {{"judge", "union", "--judge"}, {"verdicts", "v.jsonl", "--verdicts"}}); },
      ThrowsMessage<InputError>(HasSubstr("exclude each other")));
  EXPECT_THAT(
      [&] { resolve_config(Command::kExtract, std::nullopt, {{"verdicts", "v.jsonl", "--verdicts"}}); },
      ThrowsMessage<InputError>(HasSubstr("--verdicts needs --from RUN")));
}

TEST_F(ExtractFrom, LinesThatTheRunDidNotWriteAreNamed) {
  const auto refuses = [&](const char* file, std::size_t at, const char* key, Json value, const char* why) {
    store({});
    std::vector<std::string> lines = split(trim(read_file(folder_ / "run" / file)), '\n');
    Json line = Json::parse(lines[at]);
    line[key] = std::move(value);
    lines[at] = to_line(line);
    write(std::string("run/") + file, join(lines, "\n"));
    EXPECT_THAT([&] { extract("again", {}); }, ThrowsMessage<InputError>(HasSubstr(why)));
    EXPECT_FALSE(fs::exists(folder_ / "again"));
  };
  refuses("prompts.jsonl", 1, "id", "a", "prompts.jsonl:2: /id: \"a\" stands already in line 1");
  refuses("prompts.jsonl", 2, "outcome", "old", "prompts.jsonl:3: /outcome: expected refused, accepted");
  refuses("prompts.jsonl", 2, "outcome", 5, "prompts.jsonl:3: /outcome");
  refuses("replies.jsonl", 3, "id", "z", "replies.jsonl:4: /id: no prompt of the run has this id");
  refuses("replies.jsonl", 3, "id", "b", "replies.jsonl:4: /id: not in the order of prompts.jsonl");
  refuses("replies.jsonl", 0, "text", 5, "replies.jsonl:1: /text");
  refuses("replies.jsonl", 0, "tokens", "x", "replies.jsonl:1: /tokens");

  store({});
  const std::string replies = read_file(folder_ / "run/replies.jsonl");
  write("run/replies.jsonl", replies.substr(0, replies.rfind('{')));
  EXPECT_THAT([&] { extract("again", {}); },
              ThrowsMessage<InputError>(HasSubstr("replies.jsonl: holds 4 replies, the run wrote 5")));
}

TEST_F(ExtractFrom, AConfigThatIsNoneIsNamed) {
  Json manifest = read_json(folder_ / "run/manifest.json");
  manifest["config"]["full_hash"] = "x";
  write("run/manifest.json", manifest.dump());
  EXPECT_THAT(
      [&] { extract("again", {{"judge", "arditi2024", "--judge"}}); },
      ThrowsMessage<InputError>(HasSubstr("run/manifest.json, /config: /full_hash must be true or false")));
}

TEST_F(ExtractFrom, ACheckThatNeitherHeldNorFailedIsNamed) {
  Json manifest = read_json(folder_ / "run/manifest.json");
  manifest["row_identity"]["holds"] = "x";
  write("run/manifest.json", manifest.dump());
  EXPECT_THAT([&] { extract("again", {}); },
              ThrowsMessage<InputError>(HasSubstr("/row_identity/holds must be true or false")));
  EXPECT_FALSE(fs::exists(folder_ / "again"));
}

TEST_F(ExtractFrom, RowsThatAreNotFiniteAreNamed) {
  at::Tensor rows = at::arange(30, at::kFloat).view({5, 2, 3});
  rows[3][1][2] = std::numeric_limits<float>::quiet_NaN();
  write_safetensors(folder_ / "run/activations.safetensors", {{"t_inst", rows}, {"t_post_inst", rows}});
  EXPECT_THAT([&] { extract("again", {}); },
              ThrowsMessage<InputError>(HasSubstr("t_inst of prompt d holds NaN or infinity")));
}

TEST_F(ExtractFrom, RowsOfOtherNumbersAreNamed) {
  const at::Tensor rows = at::arange(30, at::kFloat).view({5, 2, 3});
  write_safetensors(folder_ / "run/activations.safetensors", {{"t_inst", rows}, {"t_post_inst", rows}},
                    {{"rows", "[4,5]"}});
  EXPECT_THAT([&] { extract("again", {}); },
              ThrowsMessage<InputError>(HasSubstr(
                  "run/activations.safetensors: the metadata says rows [4,5], the run's manifest [")));
}

TEST_F(ExtractFrom, RunsThatCannotBeReadAreRefusedByName) {
  store({{"store", "centroids", "--store"}});
  fs::remove(folder_ / "run/activations.safetensors");
  EXPECT_THAT([&] { extract("again", {}); },
              ThrowsMessage<InputError>(HasSubstr("run: the run stored no activations (--store centroids)")));
  store({});
  EXPECT_THAT([&] { extract(".", {}); }, ThrowsMessage<InputError>(HasSubstr("holds the run that is read")));
  Json manifest = read_json(folder_ / "run/manifest.json");
  manifest["status"] = "running";
  write("run/manifest.json", manifest.dump());
  EXPECT_THAT([&] { extract("again", {}); }, ThrowsMessage<InputError>(HasSubstr("the run is not complete")));
  EXPECT_FALSE(fs::exists(folder_ / "again"));
}

TEST_F(ExtractFrom, NewOutcomesNeedReplies) {
  fs::remove(folder_ / "run/replies.jsonl");
  Json manifest = read_json(folder_ / "run/manifest.json");
  manifest["counts"]["replies"] = 0;
  write("run/manifest.json", manifest.dump());
  EXPECT_THAT([&] { extract("again", {{"judge", "union", "--judge"}}); },
              ThrowsMessage<InputError>(HasSubstr("holds no replies to judge")));
}

TEST_F(ExtractFrom, ActivationsMustBeThoseOfThePrompts) {
  write_safetensors(folder_ / "run/activations.safetensors",
                    {{"t_inst", at::arange(24, at::kFloat).view({4, 2, 3})},
                     {"t_post_inst", at::arange(24, at::kFloat).view({4, 2, 3})}});
  EXPECT_THAT([&] { extract("again", {}); },
              ThrowsMessage<InputError>(HasSubstr("t_inst has shape [4,2,3], expected [5, 2, hidden]")));
}

TEST_F(ExtractFrom, CategoriesHaveDirectionsAgainstTheCommonBase) {
  ASSERT_EQ(extract("again", {{"category_directions", true, "--category-directions"}}), ExitCode::kDone);
  const SafetensorsFile directions(folder_ / "again/directions.safetensors");
  const at::Tensor harmless = (row("t_inst", 3) + row("t_inst", 4)) / 2;
  EXPECT_TRUE(directions.tensor("harmfulness:fraud").equal(row("t_inst", 2) - harmless));
  EXPECT_TRUE(
      directions.tensor("harmfulness:theft").equal((row("t_inst", 0) + row("t_inst", 1)) / 2 - harmless));
  // Of theft one prompt was refused, of fraud none.
  EXPECT_TRUE(directions.tensor("refusal:theft").equal(row("t_post_inst", 0) - row("t_post_inst", 3)));
  EXPECT_EQ(directions.find("refusal:fraud"), nullptr);
  EXPECT_EQ(directions.metadata().at("absent.refusal:fraud"),
            "no prompt in refused_harmful:fraud.t_post_inst");
  const SafetensorsFile centroids(folder_ / "again/centroids.safetensors");
  EXPECT_EQ(centroids.metadata().at("count.harmful:theft.t_inst"), "2");
  EXPECT_EQ(centroids.metadata().at("count.accepted_harmful:theft.t_post_inst"), "1");
}

TEST_F(ExtractFrom, SaysHowFarADirectionIsOne) {
  ASSERT_EQ(extract("again", {}), ExitCode::kDone);
  const SafetensorsFile directions(folder_ / "again/directions.safetensors");
  const at::Tensor rows = SafetensorsFile(folder_ / "run/activations.safetensors").tensor("t_inst");
  const RowScores expected = difference_agreement(rows.narrow(0, 0, 3), rows.narrow(0, 3, 2));
  const Json agreement = Json::parse(directions.metadata().at("agreement.harmfulness"));
  ASSERT_EQ(agreement.size(), 2u);
  EXPECT_DOUBLE_EQ(agreement[1].get<double>(), *expected[1]);
}

}  // namespace
}  // namespace hrt
