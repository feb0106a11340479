#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>

#include "hrt/base/json.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"
#include "hrt_process.h"

namespace hrt::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string small_tokenizer(const std::string& name) {
  return std::string(HRT_SOURCE_DIR "/tests/text/data/tokenizers/") + name;
}

Json json_of(const ProcessResult& result) {
  EXPECT_EQ(result.code, 0) << result.err;
  return parse_json(result.out, "stdout");
}

void refuses(const std::vector<std::string>& arguments, const std::string& message) {
  const ProcessResult result = run_hrt(arguments);
  EXPECT_EQ(result.code, 2) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr(message), EndsWith("\n")));
  EXPECT_EQ(split(result.err, '\n').size(), 2U) << result.err;
  EXPECT_EQ(result.out, "");
}

class InspectCommand : public ::testing::Test {
 protected:
  // [layers 2, prompts 3, positions 2, hidden 4]: at position 0 the prompts' rows are equal at layer 0.
  std::string released_like() const {
    at::Tensor tensor = at::randn({2, 3, 2, 4});
    tensor.select(0, 0).select(1, 0).copy_(at::arange(4, at::kFloat));
    write_safetensors(folder_ / "t.safetensors", {{"x", tensor}});
    return folder_ / "t.safetensors";
  }

  TemporaryFolder folder_;
};

TEST_F(InspectCommand, ShowsACheckpoint) {
  const std::string model = tiny_checkpoint("llama-gqa-tied");
  const ProcessResult page = run_hrt({"inspect", model});
  EXPECT_EQ(page.code, 0) << page.err;
  EXPECT_THAT(page.out,
              AllOf(HasSubstr("llama"), HasSubstr("tied to the embedding"), HasSubstr("fingerprint")));
  EXPECT_EQ(json_of(run_hrt({"inspect", model, "--json"})).at("family"), "llama");
}

TEST_F(InspectCommand, PrintsOneJsonLineAPrompt) {
  const std::string prompts =
      folder_.write("p.jsonl", "{\"id\": \"a\", \"tokens\": [1, 2]}\n{\"tokens\": [3]}\n");
  const ProcessResult result = run_hrt(
      {"inspect", tiny_checkpoint("llama-bias"), "--prompts", prompts, "--template", "raw", "--json"});
  EXPECT_EQ(result.code, 0) << result.err;
  const auto lines = split(result.out, '\n');
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], StartsWith(R"({"id":"a","rendered":null,"token_ids":[1,2],"spans":null,)"));
  EXPECT_THAT(lines[1],
              AllOf(HasSubstr(R"("id":"p:2")"), HasSubstr(R"("positions":{"t_inst":0,"t_post_inst":0})")));
}

TEST_F(InspectCommand, NeedsATokenizerOnly) {
  const std::string tokenizer = small_tokenizer("llama2");
  const Json line =
      json_of(run_hrt({"inspect", tokenizer, "--prompt", "Hi there", "--template", "llama2", "--json"}));
  const auto rendered = line.at("rendered").get<std::string>();
  EXPECT_THAT(rendered, HasSubstr("[INST] Hi there [/INST]"));
  const auto t_inst = line.at("positions").at("t_inst").get<std::size_t>();
  EXPECT_EQ(line.at("spans")[t_inst][1], rendered.find(" [/INST]"));
  EXPECT_EQ(line.at("positions").at("t_post_inst"), line.at("token_ids").size() - 1);
  EXPECT_EQ(line.at("parts").size(), line.at("token_ids").size());
  EXPECT_THAT(run_hrt({"inspect", tokenizer, "--prompt", "Hi there", "--template", "llama2"}).out,
              AllOf(HasSubstr("t_inst"), HasSubstr("post_instruction"), HasSubstr("t_post_inst")));
  EXPECT_THAT(run_hrt({"inspect", tokenizer}).out, HasSubstr("tokenizer.json: "));
}

TEST_F(InspectCommand, ShowsEmptyInstructions) {
  const std::string prompts = folder_.write("p.jsonl", "{\"instruction\": \"\"}\n");
  const Json line = json_of(run_hrt(
      {"inspect", small_tokenizer("llama2"), "--prompts", prompts, "--template", "llama2", "--json"}));
  EXPECT_TRUE(line.at("positions").at("t_inst").is_null());
  EXPECT_TRUE(line.at("positions").at("t_post_inst").is_null());
}

TEST_F(InspectCommand, SystemTextAndSpecialTokens) {
  const std::vector<std::string> base{
      "inspect", small_tokenizer("llama2"), "--template", "llama2", "--prompt", "a </s>", "--json"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = base;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json_of(run_hrt(arguments));
  };
  EXPECT_THAT(with({"--system", "Be brief."}).at("rendered").get<std::string>(), HasSubstr("Be brief."));
  EXPECT_LT(with({"--parse-special"}).at("token_ids").size(), with({}).at("token_ids").size());
  EXPECT_EQ(with({"--bos", "never"}).at("token_ids").size() + 1, with({}).at("token_ids").size());
}

TEST_F(InspectCommand, ChecksTheClaimOfAPosition) {
  const std::string file = released_like();
  const ProcessResult holds = run_hrt({"inspect", file, "--claim-t-inst", "2:0", "--same-token"});
  EXPECT_EQ(holds.code, 0) << holds.err;
  EXPECT_THAT(holds.out, HasSubstr("verdict      holds"));
  const ProcessResult fails = run_hrt({"inspect", file, "--claim-t-inst", "2:1", "--same-token", "--json"});
  EXPECT_EQ(fails.code, 3);
  EXPECT_EQ(parse_json(fails.out, "stdout").at("verdict"), "does not hold");
  const Json other = json_of(
      run_hrt({"inspect", file, "--claim-t-inst", "2:1", "--same-token", "--learned-positions", "--json"}));
  EXPECT_EQ(other.at("verdict"), "not applicable");
}

TEST_F(InspectCommand, RefusesFlagsThatSayNothing) {
  const std::string file = released_like();
  refuses({"inspect", file, "--claim-t-inst", "2:0"}, "--same-token");
  refuses({"inspect", file, "--same-token"}, "--claim-t-inst");
  refuses({"inspect", file, "--template", "llama2"}, "--template needs --prompt or --prompts");
  refuses({"inspect", file, "--prompt", "x", "--tensor", "x"}, "do not go with flags for tensor files");
  refuses({"inspect"}, "give a PATH");
  refuses({"inspect", file, "--prompts", "x", "--limit", "0"},
          "--limit: must be an integer of at least 1, found 0");
  refuses({"inspect", small_tokenizer("llama2"), "--template", "llama2", "--prompt", "a", "--template-arg",
           "x=y"},
          "error: --prompt: ");
}

TEST_F(InspectCommand, RefusesPathsThatHoldNothing) {
  refuses({"inspect", folder_ / "absent"}, "absent: no such file or folder");
  refuses({"inspect", folder_.path().string()}, "expected a checkpoint (config.json)");
  refuses({"inspect", folder_.write("x.pt", "")}, "not a file of torch.save");
  refuses({"inspect", folder_.write("x.safetensors", "{}")}, "no safetensors file");
  refuses({"inspect", folder_.path().string(), "--prompt", "x"}, "tokenizer");
}

TEST_F(InspectCommand, ReadsFilesOfTorch) {
  const std::string file = HRT_SOURCE_DIR "/tests/tensor/data/window.pt";
  EXPECT_THAT(run_hrt({"inspect", file}).out, HasSubstr("[8,1]"));
  const Json tensor = json_of(run_hrt({"inspect", file, "--json"})).at("tensors")[0];
  EXPECT_EQ(tensor.at("name"), "tensor");
  EXPECT_EQ(tensor.at("strides"), Json({8, 1}));
  refuses({"inspect", file, "--tensor", "tensors"},
          "no tensor tensors, did you mean tensor?; it holds tensor");
}

TEST_F(InspectCommand, ShowsWhatCannotBeSeen) {
  const ProcessResult result = run_hrt(
      {"inspect", small_tokenizer("llama2"), "--template", "llama2", "--prompt", "a\u200bb \u0301\u00ad"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("\\u200b"), HasSubstr("\\u0301"), HasSubstr("\\xad"),
                                Not(HasSubstr("\u200b"))));
}

TEST_F(InspectCommand, ListsFamilies) {
  EXPECT_THAT(run_hrt({"inspect", "--families"}).out, HasSubstr("qwen2"));
  EXPECT_EQ(json_of(run_hrt({"inspect", "--families", "--json"}))[0].size(), 2U);
}

}  // namespace
}  // namespace hrt::testing
