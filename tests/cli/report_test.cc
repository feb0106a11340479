// `hrt report` on runs of the organism.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "hrt/base/file.h"
#include "hrt/base/json.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kProject = HRT_SOURCE_DIR;
const std::string kCatalog = kProject + "/data/catalogs/organism.json";

class ReportCommand : public ::testing::Test {
 protected:
  // Beliefs of the organism, with the extraction: once for all tests.
  static const std::string& beliefs() {
    static const TemporaryFolder folder;
    static const std::string path = folder / "fig3";
    static const ProcessResult result =
        run_hrt({"probe", "--config", kProject + "/configs/zhao2025/fig3.json", "--data", kCatalog, "--limit",
                 "20", "--device", "cpu", "--out", path});
    EXPECT_EQ(result.code, 0) << result.err;
    return path;
  }
  // A copy that a test may break.
  std::string copy(const std::string& name) const {
    fs::copy(beliefs(), folder_ / name, fs::copy_options::recursive);
    return folder_ / name;
  }

  TemporaryFolder folder_;
};

TEST_F(ReportCommand, WritesOnePageWithFiguresTablesAndProof) {
  const ProcessResult result = run_hrt({"report", beliefs(), "--out", folder_ / "report"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("report.html"));
  const std::string page = read_file(folder_ / "report/report.html");
  EXPECT_THAT(page,
              AllOf(HasSubstr("Beliefs of harmfulness and refusal"), HasSubstr("data-position=\"t_inst\""),
                    HasSubstr("accepted harmful"), HasSubstr("organism: ")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  for (const char* file : {"fig3.csv", "fig3_by_row.csv"})
    EXPECT_TRUE(fs::exists(folder_ / ("report/figures/" + std::string(file))));
}

TEST_F(ReportCommand, DrawsInEveryFormat) {
  if (std::system("command -v gnuplot > /dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not there";
  ASSERT_EQ(run_hrt({"report", beliefs(), "--out", folder_ / "report"}).code, 0);
  for (const char* suffix : {"svg", "pdf", "png"})
    EXPECT_GT(fs::file_size(folder_ / fmt::format("report/figures/fig3.{}", suffix)), 1000U) << suffix;
  EXPECT_THAT(read_file(folder_ / "report/report.html"), HasSubstr("var(--vermillion)"));
}

TEST_F(ReportCommand, SetsRunsSideBySide) {
  const ProcessResult result =
      run_hrt({"report", beliefs(), copy("other"), "--out", folder_ / "both", "--formats", "html,md"});
  ASSERT_EQ(result.code, 0) << result.err;
  const std::string page = read_file(folder_ / "both/report.html");
  EXPECT_THAT(page, AllOf(HasSubstr(beliefs()), HasSubstr("other")));
  EXPECT_EQ(page.find("<h2>"), page.rfind("<h2>"));
  EXPECT_THAT(read_file(folder_ / "both/report.md"), HasSubstr("# fig3, other"));
}

// An inversion whose answers and controls came to no more than loops.
TEST_F(ReportCommand, SaysWhereRepliesBrokeDown) {
  const std::string run = folder_ / "inversion";
  fs::copy(kProject + "/tests/reproduce/reference/inversion", run);
  Json results = read_json(run + "/results.json");
  results["applies"] = true;
  for (Json& result : results["results"]) {
    const auto n = result.at("n").get<std::int64_t>();
    result["counts"] = {{"no", 0}, {"other", n}, {"yes", 0}};
    result["rate"] = {{"value", 0}, {"low", 0}, {"high", 0.3}, {"n", n}};
    if (result.contains("control_band")) result["control_band"].update({{"looping", n}, {"n", n}});
  }
  write_file(run + "/results.json", results.dump());
  const ProcessResult report = run_hrt({"report", run, "--formats", "html,csv"});
  ASSERT_EQ(report.code, 0) << report.err;
  const std::string page = read_file(run + "/report.html");
  EXPECT_THAT(page, AllOf(HasSubstr("most replies of the random controls are degenerate"),
                          HasSubstr("neither, %"), HasSubstr("degenerate, random")));
}

TEST_F(ReportCommand, SaysWhatARunLacks) {
  const std::string run = copy("broken");
  fs::remove(fs::path(run) / "results.json");
  const ProcessResult result = run_hrt({"report", run, "--formats", "html"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("There is no results.json"));
  EXPECT_THAT(read_file(run + "/report.html"), HasSubstr("There is no results.json"));
}

TEST_F(ReportCommand, SaysThatResultsCannotBeRead) {
  const std::string run = copy("broken");
  write_file(run + "/results.json", "{\"groups\": 3");
  EXPECT_EQ(run_hrt({"report", run, "--formats", "html"}).code, 0);
  EXPECT_THAT(read_file(run + "/report.html"), HasSubstr("results.json cannot be read"));
  write_file(run + "/results.json", "{\"groups\": {}}");
  EXPECT_EQ(run_hrt({"report", run, "--formats", "html"}).code, 0);
  EXPECT_THAT(read_file(run + "/report.html"), HasSubstr("is not as this version writes it"));
}

// As of a model that never refuses.
TEST_F(ReportCommand, BeliefsWithoutACentroidAreLeftOut) {
  const std::string run = copy("never_refuses");
  Json results = read_json(run + "/results.json");
  for (Json& group : results.at("groups")) group.at("delta_refuse").at("by_row") = Json::array();
  write_file(run + "/results.json", results.dump());
  const ProcessResult result = run_hrt({"report", run, "--formats", "html,csv"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(read_file(run + "/report.html"), Not(HasSubstr("is not as this version writes it")));
}

TEST_F(ReportCommand, SaysThatARunIsNotComplete) {
  const std::string run = copy("stopped");
  Json manifest = read_json(run + "/manifest.json");
  manifest["status"] = "running";
  write_file(run + "/manifest.json", manifest.dump());
  EXPECT_EQ(run_hrt({"report", run, "--formats", "html"}).code, 0);
  EXPECT_THAT(read_file(run + "/report.html"), HasSubstr("This run is not complete"));
}

TEST_F(ReportCommand, AReproductionWithoutOneOfItsRunsIsReportedAllTheSame) {
  const std::string out = folder_ / "all";
  ASSERT_EQ(run_hrt({"reproduce", "--data", kCatalog, "--only", "fig3,fig6", "--limit", "10", "--device",
                     "cpu", "--quiet", "--out", out})
                .code,
            0);
  fs::remove_all(out + "/fig6");
  fs::remove(out + "/fig3/results.json");
  const ProcessResult result = run_hrt({"report", out, "--formats", "html"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(read_file(out + "/report.html"),
              AllOf(HasSubstr("its folder is not there any more"), HasSubstr("There is no results.json")));
  write_file(out + "/fig3/manifest.json", "");
  EXPECT_EQ(run_hrt({"report", out, "--formats", "html"}).code, 0);
  EXPECT_THAT(read_file(out + "/report.html"),
              AllOf(HasSubstr("fig3/manifest.json:1:1: not valid JSON"), HasSubstr("Model: ")));
}

TEST_F(ReportCommand, NamesAreOnlyNames) {
  if (std::system("command -v gnuplot > /dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not there";
  const std::string shell = fmt::format("cd '{}' && exec \"$@\"", folder_.path().string());
  for (const char* name : {"|touch taken; #", "`touch taken`", "'til dawn \"$HOME\" @x", "two\nlines", "~"}) {
    copy(name);
    const ProcessResult result = run_hrt_in_shell(shell, {"report", name, "--formats", "svg"});
    EXPECT_EQ(result.code, 0) << name << result.err;
    EXPECT_FALSE(fs::is_empty(folder_.path() / name / "figures")) << name;
    EXPECT_FALSE(fs::exists(folder_ / "taken")) << name;
  }
}

TEST_F(ReportCommand, NamesTheRunThatSomebodyChanged) {
  const std::string run = copy("changed");
  Json manifest = read_json(run + "/extract/manifest.json");
  manifest["row_identity"]["holds"] = 3;
  write_file(run + "/extract/manifest.json", manifest.dump());
  const ProcessResult result = run_hrt({"report", run, "--formats", "md"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("changed: not as hrt writes it: type must be boolean"));
}

TEST_F(ReportCommand, RefusesWhatIsNoRun) {
  EXPECT_EQ(run_hrt({"report", folder_.path().string()}).code, 2);
  EXPECT_EQ(run_hrt({"report", folder_ / "none"}).code, 2);
  const ProcessResult formats = run_hrt({"report", beliefs(), "--formats", "htm"});
  EXPECT_EQ(formats.code, 2);
  EXPECT_THAT(formats.err, HasSubstr("did you mean html?"));
  const ProcessResult several = run_hrt({"report", beliefs(), beliefs()});
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err, HasSubstr("--out"));
}

}  // namespace
}  // namespace hrt::testing
