// `hrt extract --shard` and `hrt merge` on the organism.

#include <ATen/TensorOperators.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "hrt/tensor/safetensors.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kProject = HRT_SOURCE_DIR;

class Shards : public ::testing::Test {
 protected:
  static ProcessResult extract(const std::string& out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"extract",
                                       "--config",
                                       kProject + "/configs/zhao2025/extract.json",
                                       "--data",
                                       kProject + "/data/catalogs/organism.json",
                                       "--limit",
                                       "10",
                                       "--positions",
                                       "t_inst,t_post_inst,instruction",
                                       "--device",
                                       "cpu",
                                       "--quiet",
                                       "--out",
                                       out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_hrt(arguments);
  }

  // Three shards of one run: once for all tests.
  static const TemporaryFolder& folder() {
    static const TemporaryFolder folder;
    static const bool made = make_shards(folder, 3);
    EXPECT_TRUE(made);
    return folder;
  }
  static bool make_shards(const TemporaryFolder& into, int count) {
    for (int i = 0; i < count; ++i) {
      const ProcessResult result =
          extract(into / fmt::format("{}of{}", i, count), {"--shard", fmt::format("{}/{}", i, count)});
      EXPECT_EQ(result.code, 0) << result.err;
    }
    return true;
  }
  static std::string shard(int index) { return folder() / fmt::format("{}of3", index); }

  static ProcessResult merge(const std::vector<std::string>& shards, const std::string& out) {
    std::vector<std::string> arguments{"merge"};
    arguments.insert(arguments.end(), shards.begin(), shards.end());
    arguments.insert(arguments.end(), {"--quiet", "--out", out});
    return run_hrt(arguments);
  }

  static void expect_same(const std::string& a, const std::string& b) {
    EXPECT_EQ(read_file(a + "/prompts.jsonl"), read_file(b + "/prompts.jsonl"));
    EXPECT_EQ(read_json(a + "/manifest.json").at("counts"), read_json(b + "/manifest.json").at("counts"));
    for (const char* name : {"activations", "centroids", "directions"}) {
      const SafetensorsFile one(fmt::format("{}/{}.safetensors", a, name));
      const SafetensorsFile other(fmt::format("{}/{}.safetensors", b, name));
      ASSERT_EQ(one.tensors().size(), other.tensors().size());
      EXPECT_EQ(one.metadata().at("rows"), other.metadata().at("rows"));
      for (const TensorInfo& info : one.tensors()) {
        ASSERT_EQ(info.shape, other.find(info.name)->shape) << info.name;
        const at::Tensor difference =
            (one.tensor(info.name).to(at::kDouble) - other.tensor(info.name).to(at::kDouble)).norm();
        EXPECT_LE(difference.item<double>(),
                  1e-5 * one.tensor(info.name).to(at::kDouble).norm().item<double>())
            << info.name;
      }
    }
  }
};

TEST_F(Shards, MergeIntoTheRunThatOneJobWouldHaveMade) {
  const TemporaryFolder out;
  ASSERT_EQ(extract(out / "whole").code, 0);
  ASSERT_EQ(merge({shard(2), shard(0), shard(1)}, out / "three").code, 0);
  expect_same(out / "whole", out / "three");
  make_shards(out, 7);
  std::vector<std::string> shards;
  for (const int i : {6, 1, 0, 5, 2, 4, 3}) shards.push_back(out / fmt::format("{}of7", i));
  ASSERT_EQ(merge(shards, out / "seven").code, 0);
  expect_same(out / "whole", out / "seven");
}

TEST_F(Shards, MergedRunsServeAsAnyOther) {
  const TemporaryFolder out;
  ASSERT_EQ(merge({shard(0), shard(1), shard(2)}, out / "run").code, 0);
  EXPECT_EQ(run_hrt({"probe", "beliefs", out / "run"}).code, 0);
  EXPECT_EQ(run_hrt({"extract", "--from", out / "run", "--judge", "zhao2025", "--out", out / "again"}).code,
            0);
  EXPECT_EQ(run_hrt({"inspect", out / "run"}).code, 0);
}

TEST_F(Shards, MergeIntoAFolderByItsNameAlone) {
  const TemporaryFolder out;
  const ProcessResult merged = run_hrt_in_shell(fmt::format("cd '{}' && exec \"$@\"", out.path().string()),
                                                {"merge", shard(0), shard(1), shard(2), "--out", "run"});
  EXPECT_EQ(merged.code, 0) << merged.err;
  EXPECT_TRUE(fs::exists(out / "run/manifest.json"));
}

TEST_F(Shards, AMergeThatIsTakenUpPrintsTheSame) {
  const TemporaryFolder out;
  const std::vector<std::string> arguments{"merge",  shard(0), shard(1),    shard(2),  "--quiet",
                                           "--json", "--out",  out / "run", "--resume"};
  const ProcessResult first = run_hrt(arguments);
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(Json::parse(first.out).at("prompts"), 70);
  EXPECT_EQ(run_hrt(arguments).out, first.out);
}

TEST_F(Shards, AShardThatIsMissingOrGivenTwiceIsNamed) {
  const TemporaryFolder out;
  const ProcessResult missing = merge({shard(0), shard(2)}, out / "run");
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("shard 1 of 3 is missing"));
  const ProcessResult twice = merge({shard(0), shard(1), shard(1), shard(2)}, out / "run");
  EXPECT_EQ(twice.code, 2);
  EXPECT_THAT(twice.err, HasSubstr("shard 1/3 is given twice"));
  EXPECT_FALSE(fs::exists(out / "run"));
}

TEST_F(Shards, ShardsOfOtherRunsAreRefused) {
  const TemporaryFolder out;
  ASSERT_EQ(extract(out / "whole").code, 0);
  EXPECT_THAT(merge({out / "whole"}, out / "run").err, HasSubstr("no shard"));
  ASSERT_EQ(extract(out / "of2", {"--shard", "1/2"}).code, 0);
  EXPECT_THAT(merge({shard(0), out / "of2", shard(2)}, out / "run").err, HasSubstr("a shard of 2"));
  ASSERT_EQ(extract(out / "other", {"--shard", "1/3", "--max-new-tokens", "3"}).code, 0);
  const ProcessResult other = merge({shard(0), out / "other", shard(2)}, out / "run");
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("max_new_tokens differs"));
}

TEST_F(Shards, AShardThatEndedBadlyIsRefused) {
  const TemporaryFolder out;
  fs::copy(shard(1), out / "bad", fs::copy_options::recursive);
  Json manifest = read_json(out / "bad/manifest.json");
  manifest["exit_code"] = 3;
  write_file(out / "bad/manifest.json", manifest.dump());
  EXPECT_THAT(merge({shard(0), out / "bad", shard(2)}, out / "run").err, HasSubstr("ended with exit code 3"));
  manifest["status"] = "running";
  write_file(out / "bad/manifest.json", manifest.dump());
  EXPECT_THAT(merge({shard(0), out / "bad", shard(2)}, out / "run").err, HasSubstr("not complete"));
}

TEST_F(Shards, WhatTheyWarnOfStandsInTheWhole) {
  const TemporaryFolder out;
  std::vector<std::string> shards;
  for (int i = 0; i < 3; ++i) {
    shards.push_back(out / std::to_string(i));
    fs::copy(shard(i), shards.back(), fs::copy_options::recursive);
    Json manifest = read_json(shards.back() + "/manifest.json");
    manifest["warnings"].push_back("of the model");
    if (i == 1) manifest["warnings"].push_back("of some prompts");
    manifest["template"]["kept_straddles"] = i;
    write_file(shards.back() + "/manifest.json", manifest.dump());
  }
  ASSERT_EQ(merge(shards, out / "run").code, 0);
  const Json manifest = read_json(out / "run/manifest.json");
  EXPECT_THAT(manifest.at("warnings").get<std::vector<std::string>>(),
              ::testing::IsSupersetOf({"of the model", "shard 1/3: of some prompts"}));
  EXPECT_EQ(manifest.at("template").at("kept_straddles"), 3);
}

TEST_F(Shards, RowsThatAreNotItsPromptsAreNamed) {
  const TemporaryFolder out;
  fs::copy(shard(1), out / "bad", fs::copy_options::recursive);
  const auto refused = [&](const std::string& rows_of, const char* why) {
    fs::remove(out / "bad/activations.safetensors");
    fs::copy(rows_of + "/activations.safetensors", out / "bad");
    const ProcessResult result = merge({shard(0), out / "bad", shard(2)}, out / "run");
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr(std::string("bad/activations.safetensors: ") + why));
    EXPECT_FALSE(fs::exists(out / "run"));
  };
  refused(shard(2), "t_inst has shape [24,9,");  // of 23 prompts
  ASSERT_EQ(extract(out / "half", {"--shard", "1/3", "--dtype", "bfloat16", "--verify", "0"}).code, 0);
  refused(out / "half", "t_inst has rows of another size or dtype");
}

// The rows of a shard with other metadata.
void change_metadata(const fs::path& file, const Metadata& metadata) {
  std::vector<NamedTensor> tensors;
  {
    const SafetensorsFile before(file);
    for (const TensorInfo& info : before.tensors())
      tensors.push_back({info.name, before.tensor(info.name).clone()});
  }
  write_safetensors(file, tensors, metadata);
}

TEST_F(Shards, RowsOfOtherPromptsAreNamed) {
  const TemporaryFolder out;
  fs::copy(shard(1), out / "bad", fs::copy_options::recursive);
  change_metadata(out / "bad/activations.safetensors",
                  SafetensorsFile(shard(0) + "/activations.safetensors").metadata());
  const ProcessResult result = merge({shard(0), out / "bad", shard(2)}, out / "run");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("bad/activations.safetensors: its rows are of other prompts"));
}

TEST_F(Shards, APromptOfTwoShardsIsNamed) {
  const TemporaryFolder out;
  fs::copy(shard(1), out / "bad", fs::copy_options::recursive);
  change_metadata(out / "bad/activations.safetensors", {});
  for (const char* file : {"prompts.jsonl", "replies.jsonl"}) {
    std::string lines = read_file(std::string(out / "bad/") + file);
    const std::string taken = Json::parse(read_file(shard(0) + "/prompts.jsonl")
                                              .substr(0, read_file(shard(0) + "/prompts.jsonl").find('\n')))
                                  .at("id");
    Json first = Json::parse(lines.substr(0, lines.find('\n')));
    first["id"] = taken;
    write_file(std::string(out / "bad/") + file, first.dump() + lines.substr(lines.find('\n')));
  }
  const ProcessResult result = merge({shard(0), out / "bad", shard(2)}, out / "run");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("bad/prompts.jsonl: prompt \""));
  EXPECT_THAT(result.err, HasSubstr("is also in " + shard(0)));
}

TEST_F(Shards, AManifestThatSomebodyChangedIsNamed) {
  const std::vector<std::pair<const char*, Json>> changes{
      {"/identity", 3},
      {"/identity/config", "x"},
      {"/exit_code", "0"},
      {"/warnings", {1, 2}},
      {"/template", Json()},
      {"/template/kept_straddles", "none"},
      {"/row_identity", "x"},
      {"/row_identity/prompts", Json()},
      {"/config/shard", 5},
      {"/config/positions", Json::array()},
      {"/config/positions/0", "x"},
  };
  for (const auto& [place, value] : changes) {
    const TemporaryFolder out;
    fs::copy(shard(1), out / "bad", fs::copy_options::recursive);
    Json manifest = read_json(out / "bad/manifest.json");
    manifest[Json::json_pointer(place)] = value;
    write_file(out / "bad/manifest.json", manifest.dump());
    const ProcessResult result = merge({shard(0), out / "bad", shard(2)}, out / "run");
    EXPECT_EQ(result.code, 2) << place << ": " << result.err;
    EXPECT_THAT(result.err, HasSubstr(out / "bad")) << place;
    EXPECT_THAT(result.err, ::testing::Not(HasSubstr("json.exception"))) << place;
    EXPECT_FALSE(fs::exists(out / "run")) << place;
  }
}

TEST_F(Shards, BadNumbersAreRefused) {
  const TemporaryFolder out;
  for (const char* text : {"3/3", "-1/3", "1", "a/b", "1/0", "1/2/3", "/", "0/9999999"}) {
    const ProcessResult result = extract(out / "run", {"--shard", text});
    EXPECT_EQ(result.code, 2) << text;
    EXPECT_THAT(result.err, HasSubstr("expected I/N")) << text;
  }
  EXPECT_THAT(extract(out / "run", {"--shard", "0/999999"}).err, HasSubstr("there are only 70 prompts"));
  EXPECT_THAT(extract(out / "run", {"--shard", "0/2", "--store", "centroids"}).err,
              HasSubstr("cannot be merged"));
}

}  // namespace
}  // namespace hrt::testing
