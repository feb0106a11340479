#include "hrt/experiment/run_directory.h"

#include <gmock/gmock.h>

#include <fstream>

#include "hrt/base/error.h"
#include "temporary_folder.h"

namespace hrt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RunDirectoryTest : public ::testing::Test {
 protected:
  std::string refusal(IfExists if_exists, const Json& identity) {
    try {
      RunDirectory(path_, if_exists, identity);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  const TemporaryFolder folder_;
  const fs::path path_ = folder_.path() / "run";
  Json identity_{{"model", "abc"}, {"config", {{"judge", "zhao2025"}}}};
};

TEST_F(RunDirectoryTest, StartsRunningAndEndsCompleteWithoutScratch) {
  {
    RunDirectory run(path_, IfExists::kRefuse, identity_);
    EXPECT_TRUE(fs::is_directory(run.work()));
    EXPECT_FALSE(run.complete());
    EXPECT_EQ(read_json(path_ / "manifest.json").at("status"), "running");
    run.finish(3);
  }
  const Json manifest = read_json(path_ / "manifest.json");
  EXPECT_EQ(manifest.at("status"), "complete");
  EXPECT_EQ(manifest.at("exit_code"), 3);
  EXPECT_FALSE(fs::exists(path_ / "work"));
}

TEST_F(RunDirectoryTest, AnExistingRunNeedsResumeOrOverwrite) {
  RunDirectory(path_, IfExists::kRefuse, identity_);
  EXPECT_THAT(refusal(IfExists::kRefuse, identity_),
              HasSubstr("--resume continues it, --overwrite replaces it"));
  EXPECT_TRUE(RunDirectory(path_, IfExists::kResume, identity_).resumed());
  EXPECT_FALSE(RunDirectory(path_, IfExists::kOverwrite, identity_).resumed());
}

TEST_F(RunDirectoryTest, ResumeNamesWhatDiffers) {
  RunDirectory(path_, IfExists::kRefuse, identity_);
  Json other = identity_;
  other["config"]["judge"] = "union";
  EXPECT_THAT(refusal(IfExists::kResume, other), HasSubstr("/config/judge was \"zhao2025\", now \"union\""));
}

TEST_F(RunDirectoryTest, ResumeOfAnAbsentRunStartsIt) {
  RunDirectory run(path_, IfExists::kResume, identity_);
  EXPECT_FALSE(run.resumed());
}

TEST_F(RunDirectoryTest, OverwriteTouchesNothingButOurRuns) {
  fs::create_directories(path_);
  std::ofstream(path_ / "thesis.tex") << "years of work";
  EXPECT_THAT(refusal(IfExists::kOverwrite, identity_),
              HasSubstr("holds no run of hrt; nothing was changed"));
  EXPECT_TRUE(fs::exists(path_ / "thesis.tex"));
}

TEST_F(RunDirectoryTest, OverwriteRemovesWhatTheRunWroteAndNothingElse) {
  const auto put = [&](const fs::path& name) { std::ofstream(path_ / name) << "x"; };
  {
    RunDirectory run(path_, IfExists::kRefuse, identity_);
    std::ofstream(run.file("results.json")) << "{}";
    RunDirectory inner(run.file("extract"), IfExists::kRefuse, identity_);
    std::ofstream(inner.file("prompts.jsonl")) << "{}";
    inner.finish(0);
    run.finish(0);
  }
  RunDirectory(path_ / "another", IfExists::kRefuse, identity_).finish(0);
  put("extract/thesis.tex");
  put("thesis.tex");
  put("results.json.tmp123");
  put("report.html");
  RunDirectory(path_, IfExists::kOverwrite, identity_);
  for (const char* gone : {"results.json", "results.json.tmp123", "report.html", "extract/prompts.jsonl",
                           "extract/manifest.json"})
    EXPECT_FALSE(fs::exists(path_ / gone)) << gone;
  for (const char* kept : {"thesis.tex", "extract/thesis.tex", "another/manifest.json"})
    EXPECT_TRUE(fs::exists(path_ / kept)) << kept;
}

TEST_F(RunDirectoryTest, AManifestCannotNameWhatLiesElsewhere) {
  RunDirectory(path_, IfExists::kRefuse, identity_).finish(0);
  std::ofstream(folder_.path() / "thesis.tex") << "x";
  Json manifest = read_json(path_ / "manifest.json");
  manifest["files"] = {"../thesis.tex", "..", ".", "", "/", 5, (folder_.path() / "thesis.tex").string()};
  std::ofstream(path_ / "manifest.json") << manifest;
  RunDirectory(path_, IfExists::kOverwrite, identity_);
  EXPECT_TRUE(fs::exists(folder_.path() / "thesis.tex"));
}

TEST_F(RunDirectoryTest, ResumeRemovesWhatAKillLeftHalfWritten) {
  {
    RunDirectory run(path_, IfExists::kRefuse, identity_);
    run.file("activations.safetensors");
  }
  for (const char* name : {"activations.safetensors.tmp7", "work/group-00001.safetensors.tmp7", "mine.tmp7"})
    std::ofstream(path_ / name) << "x";
  RunDirectory(path_, IfExists::kResume, identity_);
  EXPECT_FALSE(fs::exists(path_ / "activations.safetensors.tmp7"));
  EXPECT_FALSE(fs::exists(path_ / "work/group-00001.safetensors.tmp7"));
  EXPECT_TRUE(fs::exists(path_ / "mine.tmp7"));
}

TEST_F(RunDirectoryTest, WhatAKilledStartLeavesIsNoRun) {
  fs::create_directories(path_ / "work");
  std::ofstream(path_ / ".lock");
  std::ofstream(path_ / "manifest.json.tmp123") << "{";
  EXPECT_EQ(RunDirectory::look(path_, IfExists::kRefuse), Found::kNothing);
  EXPECT_FALSE(RunDirectory(path_, IfExists::kResume, identity_).resumed());
  EXPECT_FALSE(fs::exists(path_ / "manifest.json.tmp123"));
}

TEST_F(RunDirectoryTest, ALockAloneMakesNoFolderOurs) {
  fs::create_directories(path_);
  std::ofstream(path_ / ".lock");
  std::ofstream(path_ / "thesis.tex") << "precious";
  EXPECT_THAT(refusal(IfExists::kResume, identity_), HasSubstr("holds no run of hrt; nothing was changed"));
  EXPECT_TRUE(fs::exists(path_ / "thesis.tex"));
}

TEST_F(RunDirectoryTest, ARunKilledWhileItIsReplacedIsStartedAnew) {
  RunDirectory(path_, IfExists::kRefuse, identity_).finish(0);
  std::ofstream(path_ / "manifest.json")
      << R"({"status": "cleared", "identity": {}, "files": ["prompts.jsonl"]})";
  std::ofstream(path_ / "prompts.jsonl") << "of the run before";
  EXPECT_EQ(RunDirectory::look(path_, IfExists::kRefuse), Found::kNothing);
  EXPECT_FALSE(RunDirectory(path_, IfExists::kResume, identity_).resumed());
  EXPECT_FALSE(fs::exists(path_ / "prompts.jsonl"));
}

TEST_F(RunDirectoryTest, LookingTouchesNothing) {
  EXPECT_EQ(RunDirectory::look(path_, IfExists::kRefuse), Found::kNothing);
  EXPECT_FALSE(fs::exists(path_));
  {
    RunDirectory run(path_, IfExists::kRefuse, identity_);
  }
  EXPECT_THROW(RunDirectory::look(path_, IfExists::kRefuse), InputError);
  EXPECT_EQ(RunDirectory::look(path_, IfExists::kOverwrite), Found::kRunning);
  RunDirectory(path_, IfExists::kResume, identity_).finish(0);
  EXPECT_EQ(RunDirectory::look(path_, IfExists::kResume), Found::kComplete);
  EXPECT_EQ(RunDirectory::difference(path_, identity_), "");
  EXPECT_EQ(RunDirectory::difference(path_, {{"model", "abd"}}), "/model was \"abc\", now \"abd\"");
}

TEST_F(RunDirectoryTest, AFileInTheWayIsNamed) {
  std::ofstream(folder_.path() / "file") << "";
  try {
    RunDirectory::look(folder_.path() / "file/run", IfExists::kRefuse);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("file is no folder"));
  }
}

TEST_F(RunDirectoryTest, TwoProcessesCannotWorkOnOneRun) {
  const RunDirectory first(path_, IfExists::kRefuse, identity_);
  EXPECT_THAT(refusal(IfExists::kResume, identity_), HasSubstr("another process is at work"));
}

TEST_F(RunDirectoryTest, WarningsStandOnceInTheManifest) {
  RunDirectory run(path_, IfExists::kRefuse, identity_);
  run.warn("few prompts");
  run.warn("few prompts");
  EXPECT_EQ(run.manifest().at("warnings"), Json({"few prompts"}));
}

}  // namespace
}  // namespace hrt
