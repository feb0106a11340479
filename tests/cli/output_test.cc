// What becomes of a command whose stdout takes nothing.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "hrt/base/json.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

using ::testing::HasSubstr;

class Output : public ::testing::Test {
 protected:
  std::vector<std::string> extract(const std::string& run) const {
    return {"extract",
            "--model",
            tiny_checkpoint("llama-gqa-tied"),
            "--prompts",
            folder_.write("p.jsonl", token_prompts(4, 3, 80)),
            "--out",
            folder_ / run,
            "--template",
            "raw"};
  }
  std::string status(const std::string& run) const {
    return read_json(folder_ / (run + "/manifest.json")).at("status");
  }

  TemporaryFolder folder_;
};

TEST_F(Output, AFullStdoutIsSaid) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"extract", "--help"},
                                                    {"inspect", tiny_checkpoint("llama-gqa-tied")},
                                                    extract("full")}) {
    const ProcessResult result = run_hrt_in_shell(R"(exec "$@" >/dev/full)", arguments);
    EXPECT_EQ(result.code, 1) << arguments.front();
    EXPECT_THAT(result.err, HasSubstr("hrt: error: stdout: cannot be written: No space left on device\n"));
  }
  EXPECT_EQ(status("full"), "complete");
}

TEST_F(Output, WhereNobodyReadsARunIsCompleteAllTheSame) {
  const ProcessResult result =
      run_hrt_in_shell(R"({ "$@"; echo "ended with $?" >&2; } | :)", extract("pipe"));
  EXPECT_THAT(result.err, HasSubstr("ended with 141\n"));
  EXPECT_EQ(status("pipe"), "complete");
}

TEST_F(Output, AFullStderrStopsNothing) {
  EXPECT_EQ(run_hrt_in_shell(R"(exec "$@" 2>/dev/full)", extract("mute")).code, 0);
  EXPECT_EQ(status("mute"), "complete");
}

TEST_F(Output, ClosedDescriptorsAreNoFilesNumbers) {
  int count = 0;
  for (const char* closed : {">&-", ">&- 2>&-", "<&- >&- 2>&-"}) {
    const std::string run = fmt::format("closed{}", count++);
    EXPECT_EQ(run_hrt_in_shell(fmt::format(R"(exec "$@" {})", closed), extract(run)).code, 0) << closed;
    EXPECT_EQ(status(run), "complete") << closed;
    EXPECT_EQ(read_text(folder_ / (run + "/.lock")), "") << closed;
  }
}

}  // namespace
}  // namespace hrt::testing
