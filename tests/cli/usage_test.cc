#include <gmock/gmock.h>

#include <filesystem>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Usage, HelpShowsExamples) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"extract", "--help"},
                                                    {"steer", "--help"},
                                                    {"reproduce", "--help"},
                                                    {"inspect", "--help"}}) {
    const ProcessResult result = run_hrt(arguments);
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.out, HasSubstr("Example"));
    EXPECT_EQ(result.err, "");
  }
}

TEST(Usage, VersionNamesTheParts) {
  const ProcessResult result = run_hrt({"--version"});
  EXPECT_EQ(result.code, 0);
  for (const char* part : {"hrt ", "torch ", "CUDA ", "ICU "}) EXPECT_THAT(result.out, HasSubstr(part));
}

TEST(Usage, PrintConfigIsJsonThatCanBeReadBack) {
  const TemporaryFolder folder;
  const ProcessResult first =
      run_hrt({"extract", "--print-config", "--judge", "union", "--layers", "0..4:2"});
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(Json::parse(first.out).at("judge"), "union");
  const std::string file = folder.write("c.json", first.out);
  EXPECT_EQ(run_hrt({"extract", "--print-config", "--config", file}).out, first.out);
}

// Bad usage and bad input: one clear line, exit code 2, no run directory.
struct BadInput {
  const char* name;
  std::vector<std::string> arguments;
  std::string message;
};

class UsageErrors : public ::testing::Test {
 protected:
  // MODEL, PROMPTS, OUT and files of the folder in arguments stand for paths.
  void expect(const BadInput& c) const {
    std::vector<std::string> arguments;
    for (std::string argument : c.arguments) {
      if (argument == "MODEL") argument = tiny_checkpoint("llama-gqa-tied");
      if (argument == "PROMPTS") argument = folder_.write("p.jsonl", token_prompts(4, 3, 80));
      if (argument.starts_with("@")) argument = folder_ / argument.substr(1);
      arguments.push_back(argument);
    }
    const ProcessResult result = run_hrt(arguments);
    EXPECT_EQ(result.code, 2) << c.name << ": " << result.err;
    EXPECT_THAT(result.err, HasSubstr(c.message)) << c.name;
    EXPECT_THAT(result.err, StartsWith("hrt: ")) << c.name;
    EXPECT_EQ(split(result.err, '\n').size(), 2u) << c.name << " takes more than one line: " << result.err;
    EXPECT_FALSE(fs::exists(folder_ / "run")) << c.name;
  }

  TemporaryFolder folder_;
};

TEST_F(UsageErrors, AreOneLineAndExitTwo) {
  folder_.write("broken.jsonl", "{\"instruction\": \"a\"}\n{\"instruction\": \n");
  folder_.write("column.jsonl", "{\"instructoin\": \"a\"}\n");
  folder_.write("outside.jsonl", "{\"tokens\": [1, 99]}\n");
  folder_.write("long.jsonl", token_prompts(300, 300, 80));
  folder_.write("text.jsonl", "{\"instruction\": \"a\"}\n");
  folder_.write("contradiction.jsonl", "{\"tokens\": [1], \"label\": \"harmless\"}\n");
  folder_.write("twice.jsonl", "{\"tokens\": [1], \"id\": \"x\"}\n{\"tokens\": [2], \"id\": \"x\"}\n");
  folder_.write("config.json", "{\"seed\": \"one\"}");
  folder_.write("file", "");
  fs::create_symlink("loop", folder_ / "loop");
  fs::create_directory(folder_ / "looping");
  fs::create_symlink("config.json", folder_ / "looping/config.json");
  const std::vector<std::string> base{"extract", "--template", "raw", "--out", "@run", "--model", "MODEL"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), base.begin(), base.end());
    return more;
  };
  const BadInput cases[] = {
      {"no command", {}, "subcommand"},
      {"unknown command", {"extrakt"}, "extrakt"},
      {"unknown flag", {"extract", "--modell", "x"}, "extract: no flag --modell, did you mean --model?"},
      {"unknown flags as typed",
       {"extract", "--zzzz", "--out", "@run", "--tempalte=raw", "y"},
       "extract: no flag --zzzz; no flag --tempalte, did you mean --template?"},
      {"stray word", {"extract", "stray", "word"}, "unexpected argument stray; unexpected argument word"},
      {"no model", {"extract", "--out", "@run", "--prompts", "PROMPTS"}, "no model"},
      {"no such model",
       {"extract", "--model", "@nowhere", "--prompts", "PROMPTS", "--out", "@run"},
       "no such folder (ORG/NAME is looked for in the Hugging Face cache, too)"},
      {"hub name",
       {"extract", "--model", "org/name", "--prompts", "PROMPTS", "--out", "@run"},
       "models--org--name"},
      {"no prompts", base, "no prompts"},
      {"no output", {"extract", "--model", "MODEL", "--prompts", "PROMPTS", "--template", "raw"}, "--out"},
      {"missing file", with({"--prompts", "@nothing.jsonl"}), "nothing.jsonl"},
      {"broken line", with({"--prompts", "@broken.jsonl"}), "broken.jsonl:2"},
      {"unknown column", with({"--prompts", "@column.jsonl"}), "instructoin"},
      {"token outside the vocabulary", with({"--prompts", "@outside.jsonl"}), "outside the vocabulary of 80"},
      {"too long", with({"--prompts", "@long.jsonl"}), "longer than the model's 128 tokens"},
      {"no tokenizer", with({"--prompts", "@text.jsonl"}), "tokenizer"},
      {"contradiction", with({"--harmful", "@contradiction.jsonl"}), "contradiction.jsonl:1"},
      {"id twice", with({"--prompts", "@twice.jsonl"}), "twice.jsonl:2"},
      {"wrong config", with({"--prompts", "PROMPTS", "--config", "@config.json"}),
       "/seed must be an integer"},
      {"backwards layers", with({"--prompts", "PROMPTS", "--layers", "3..1"}), "runs backwards"},
      {"escape sequence in a file's name", with({"--prompts", "@\x1b[31m.jsonl"}), "\\x1b[31m.jsonl"},
      {"escape sequence in a template's name", with({"--prompts", "PROMPTS", "--template", "\x1b]0;x\x07"}),
       "\\x1b]0;x\\x07"},
      {"escape sequence in a flag", {"extract", "--\x1b[31m"}, "--\\x1b[31m"},
      {"file twice", with({"--prompts", "PROMPTS", "--harmful", "PROMPTS"}), "given twice"},
      {"unknown position", with({"--prompts", "PROMPTS", "--positions", "t_ints"}), "t_inst"},
      {"position of the reply", with({"--prompts", "PROMPTS", "--positions", "t_resp+0"}), "t_resp+0"},
      {"layer out of range", with({"--prompts", "PROMPTS", "--layers", "9"}), "0..3"},
      {"more threads than there can be", with({"--prompts", "PROMPTS", "--threads", "1000000000"}),
       "--threads must be an integer of 1 to 4096"},
      {"unknown judge", with({"--prompts", "PROMPTS", "--judge", "zhao"}), "zhao"},
      {"unknown template", with({"--prompts", "PROMPTS", "--template", "lama3"}), "llama3"},
      {"template that is no file", with({"--prompts", "PROMPTS", "--template", "mine"}), ", or FILE.json)"},
      {"tokens without raw",
       {"extract", "--model", "MODEL", "--prompts", "PROMPTS", "--out", "@run"},
       "has no tokenizer, and prompts given as tokens need --template raw"},
      {"no CUDA", with({"--prompts", "PROMPTS", "--device", "cuda:77"}), "--device cuda:77"},
      {"output is a file",
       {"extract", "--model", "MODEL", "--template", "raw", "--prompts", "PROMPTS", "--out", "@file"},
       "holds no run"},
      {"loop of links as output",
       {"extract", "--model", "MODEL", "--template", "raw", "--prompts", "PROMPTS", "--out", "@loop"},
       "loop: Too many levels of symbolic links"},
      {"loop of links as prompts", with({"--prompts", "@loop"}), "loop: Too many levels of symbolic links"},
      {"loop of links as a model's config",
       {"extract", "--model", "@looping", "--template", "raw", "--prompts", "PROMPTS", "--out", "@run"},
       "looping/config.json: Too many levels of symbolic links"},
      {"long name as output",
       {"extract", "--model", "MODEL", "--template", "raw", "--prompts", "PROMPTS", "--out",
        "@" + std::string(300, 'x')},
       "xxx: File name too long"},
      {"output that is not UTF-8",
       {"extract", "--model", "MODEL", "--template", "raw", "--prompts", "PROMPTS", "--out", "@run\xff"},
       "run\\xff"},
      {"resume and overwrite", with({"--prompts", "PROMPTS", "--resume", "--overwrite"}), "excludes"},
  };
  for (const BadInput& c : cases) expect(c);
}

TEST_F(UsageErrors, SpacesBehindCommasAreNotMeant) {
  const ProcessResult result = run_hrt({"extract", "--print-config", "--positions", "t_inst, -1"});
  EXPECT_EQ(Json::parse(result.out).at("positions"), Json({"t_inst", "-1"}));
}

TEST_F(UsageErrors, AnExistingRunIsNotTouched) {
  const std::string prompts = folder_.write("p.jsonl", token_prompts(4, 3, 80));
  const std::vector<std::string> arguments{"extract",     "--model",    tiny_checkpoint("llama-gqa-tied"),
                                           "--prompts",   prompts,      "--out",
                                           folder_ / "x", "--template", "raw"};
  ASSERT_EQ(run_hrt(arguments).code, 0);
  const std::string before = read_text(folder_ / "x/manifest.json");
  const ProcessResult again = run_hrt(arguments);
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("--resume continues it, --overwrite replaces it"));
  EXPECT_EQ(read_text(folder_ / "x/manifest.json"), before);
}

TEST_F(UsageErrors, AWorkingFolderThatIsNotUtf8IsNamed) {
  const std::string place = folder_ / "wor\xff";
  fs::create_directory(place);
  const ProcessResult result = run_hrt_in_shell("cd '" + place + "' && exec \"$@\"", {"--version"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("the working folder's name is not UTF-8"));
}

TEST(UsageProc, AReadOnlyFolderIsExitTwo) {
  const TemporaryFolder folder;
  const std::string prompts = folder.write("p.jsonl", token_prompts(4, 3, 80));
  // /proc takes no new folders, whoever asks.
  const ProcessResult result = run_hrt({"extract", "--model", tiny_checkpoint("llama-gqa-tied"), "--prompts",
                                        prompts, "--template", "raw", "--out", "/proc/hrt-run"});
  EXPECT_EQ(result.code, 2) << result.err;
  EXPECT_THAT(result.err, HasSubstr("/proc/hrt-run"));
}

}  // namespace
}  // namespace hrt::testing
