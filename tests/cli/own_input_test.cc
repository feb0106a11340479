// What a command reads is never what it overwrites; what is complete is all there.

#include <gmock/gmock.h>

#include <filesystem>

#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kProject = HRT_SOURCE_DIR;
const std::string kPrompts = kProject + "/data/organism/prompts/";

class OwnInput : public ::testing::Test {
 protected:
  static std::vector<std::string> extraction(const std::string& out) {
    return {"extract",
            "--model",
            kProject + "/data/organism/model",
            "--harmful",
            kPrompts + "refused_harmful.jsonl",
            "--harmless",
            kPrompts + "accepted_harmless.jsonl",
            "--limit",
            "6",
            "--max-new-tokens",
            "8",
            "--device",
            "cpu",
            "--threads",
            "1",
            "--out",
            out};
  }
  static const std::string& run() {
    static const TemporaryFolder folder;
    static const std::string path = folder / "run";
    static const ProcessResult result = run_hrt(extraction(path));
    EXPECT_EQ(result.code, 0) << result.err;
    return path;
  }
  std::string copy(const std::string& name) const {
    fs::copy(run(), folder_ / name, fs::copy_options::recursive);
    return folder_ / name;
  }
  // Refused, and the run is as it was.
  void expect_kept(std::vector<std::string> arguments, const std::string& kept) const {
    arguments.insert(arguments.end(), {"--overwrite", "--quiet"});
    const ProcessResult result = run_hrt(arguments);
    EXPECT_EQ(result.code, 2) << result.out;
    EXPECT_THAT(result.err, HasSubstr("holds the run that is read"));
    for (const char* file :
         {"manifest.json", "activations.safetensors", "prompts.jsonl", "directions.safetensors"})
      EXPECT_EQ(read_file(fs::path(kept) / file), read_file(fs::path(run()) / file)) << file;
  }

  const TemporaryFolder folder_;
};

TEST_F(OwnInput, IsNotOverwritten) {
  const std::string own = copy("own");
  fs::create_directory_symlink(own, folder_ / "link");
  expect_kept({"probe", "layers", own, "--out", own}, own);
  expect_kept({"probe", "layers", own, "--out", folder_ / "link"}, own);
  expect_kept({"probe", "layers", run(), "--centroids", own, "--allow-overlap", "--out", own}, own);
  expect_kept({"probe", "compare", run(), own, "--out", own}, own);
  expect_kept({"extract", "--from", own, "--out", own}, own);
  expect_kept({"steer", "--model", kProject + "/data/organism/model", "--prompts",
               kPrompts + "accepted_harmless.jsonl", "--limit", "2", "--direction", own + ":refusal",
               "--scope", "prompt", "--layers", "2", "--out", own},
              own);
  expect_kept({"reproduce", "--from", own, "--out", own}, own);
  expect_kept({"reproduce", "--from", own + "/.", "--out", folder_ / "link"}, own);
  const std::string guard = folder_ / "g.safetensors";
  ASSERT_EQ(run_hrt({"guard", "fit", run(), "--out", guard}).code, 0);
  expect_kept({"guard", "eval", guard, own, "--allow-overlap", "--out", own}, own);
}

TEST_F(OwnInput, AGuardReplacesNothingButAGuard) {
  const std::string own = copy("own");
  fs::create_directory(folder_ / "folder");
  for (const std::string& out :
       {own + "/activations.safetensors", own + "/manifest.json", folder_ / "folder"}) {
    const ProcessResult result = run_hrt({"guard", "fit", own, "--out", out, "--overwrite"});
    EXPECT_EQ(result.code, 2) << out;
    EXPECT_THAT(result.err, HasSubstr("exists and is no guard; nothing was changed"));
  }
  EXPECT_EQ(read_file(own + "/manifest.json"), read_file(run() + "/manifest.json"));
}

TEST_F(OwnInput, DoneAgainLeavesWhatIsNotTheRuns) {
  const std::string own = copy("own");
  folder_.write("own/notes.json", "{}");
  const ProcessResult same = run_hrt({"reproduce", "--from", own + "/."});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  EXPECT_THAT(same.out, ::testing::Not(HasSubstr("notes.json")));
  EXPECT_FALSE(fs::exists(own + ".again"));
  const std::string other = copy("other");
  folder_.write("other/notes.txt", "mine");
  EXPECT_EQ(run_hrt({"reproduce", "--from", own, "--out", other, "--overwrite"}).code, 0);
  EXPECT_EQ(read_file(other + "/notes.txt"), "mine");
}

TEST_F(OwnInput, ARunThatIsCompleteIsAllThere) {
  for (const char* file :
       {"activations.safetensors", "directions.safetensors", "prompts.jsonl", "results.json"}) {
    const std::string own = copy(std::string("without-") + file);
    fs::remove(own + "/" + file);
    const auto resumed = [&] {
      std::vector<std::string> arguments = extraction(own);
      arguments.emplace_back("--resume");
      return run_hrt(arguments);
    };
    const ProcessResult gone = resumed();
    EXPECT_EQ(gone.code, 2) << file;
    EXPECT_THAT(gone.err, HasSubstr(std::string(file) + ": the run is complete, but this is gone or empty"));
    fs::copy(run() + "/" + file, own + "/" + file);
    EXPECT_EQ(resumed().code, 0) << file;
    fs::resize_file(own + "/" + file, fs::path(file).extension() == ".safetensors" ? 100 : 0);
    EXPECT_EQ(resumed().code, 2) << file;
  }
}

}  // namespace
}  // namespace hrt::testing
