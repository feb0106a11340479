#include "hrt/inspect/inspect_checkpoint.h"

#include <gmock/gmock.h>

#include "model/checkpoint_copy.h"
#include "terminal_page.h"

namespace hrt {
namespace {

using test::fits_the_terminal;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

TEST(InspectCheckpoint, DescribesWhatTheConfigSays) {
  const Json d = describe_checkpoint(golden_folder("llama-gqa-tied"));
  EXPECT_EQ(d.at("family"), "llama");
  EXPECT_TRUE(d.at("tied_head").get<bool>());
  EXPECT_LT(d.at("kv_heads"), d.at("heads"));
  EXPECT_EQ(d.at("memory").at("float32"), 2 * d.at("memory").at("bfloat16").get<std::int64_t>());
  EXPECT_TRUE(d.at("tokenizer").is_null());
  EXPECT_EQ(d.at("fingerprint").get<std::string>().size(), 64U);
  const std::string page = checkpoint_page(d);
  fits_the_terminal(page);
  EXPECT_THAT(page, AllOf(HasSubstr("tied to the embedding"), HasSubstr("only prompts given as tokens")));
}

TEST(InspectCheckpoint, CountsPiecesAndTheirTensors) {
  const Json d = describe_checkpoint(golden_folder("llama-rope-llama3"));
  ASSERT_EQ(d.at("files").size(), 2U);
  EXPECT_GT(d.at("files")[0].at("tensors").get<int>(), 0);
  EXPECT_EQ(d.at("rope").at("kind"), "llama3");
  const std::string page = checkpoint_page(d);
  fits_the_terminal(page);
  EXPECT_THAT(
      page, AllOf(HasSubstr("2 pieces, model-00001-of-00002.safetensors ..."), HasSubstr("low_freq_factor")));
}

TEST(InspectCheckpoint, SaysWhichLayersHaveWindows) {
  EXPECT_THAT(checkpoint_page(describe_checkpoint(golden_folder("qwen2-layer-types"))), HasSubstr(" of "));
  EXPECT_THAT(checkpoint_page(describe_checkpoint(golden_folder("llama-bias"))),
              HasSubstr("none: every layer sees all"));
}

std::vector<std::string> axes_of(const std::string& name) {
  std::vector<std::string> texts;
  const Json described = describe_checkpoint(golden_folder(name));
  for (const Json& axis : described.at("unlike_llama")) texts.push_back(axis.at("text"));
  return texts;
}

TEST(InspectCheckpoint, SaysWhatIsUnlikeLlama) {
  EXPECT_THAT(axes_of("llama-bias"), IsEmpty());
  EXPECT_THAT(axes_of("gpt-neox-hub"),
              ElementsAre("layer norm with biases", "attention and MLP side by side, through a norm each",
                          "MLP without a gate", "4 of the 8 dimensions of a head rotate",
                          "stored: q, k and v in one tensor, head by head"));
  EXPECT_THAT(axes_of("gpt2-hub"),
              ElementsAre("layer norm with biases", "MLP without a gate", "learned positions, no rotation",
                          "stored: q, k and v in one tensor", "stored: maps [in, out]"));
  EXPECT_THAT(axes_of("olmo2"), ElementsAre("norms only after attention and MLP",
                                            "norms of queries and keys, all heads together"));
  EXPECT_THAT(axes_of("gemma3-hub"),
              ElementsAre("norms before and after attention and MLP",
                          "norms of queries and keys, each head by itself", "scores times 0.223607",
                          "embedding times 5.65685", "RoPE theta 5000 in 2 of 3 layers",
                          "stored: norm weights minus 1"));
  EXPECT_THAT(axes_of("gemma2-hub"),
              IsSupersetOf({"scores capped softly at 2", "logits capped softly at 3"}));
  EXPECT_THAT(axes_of("granite"), ElementsAre("scores times 0.25", "embedding times 12",
                                              "what attention and MLP add times 0.22", "logits times 0.25"));
  EXPECT_THAT(axes_of("cohere-hub"),
              ElementsAre("layer norm", "attention and MLP side by side, through one norm",
                          "logits times 0.5", "neighbouring dimensions rotate together"));
  EXPECT_THAT(axes_of("smollm3-hub"), ElementsAre("no rotation in 1 of 3 layers"));
  EXPECT_THAT(axes_of("phi3-hub"),
              ElementsAre("stored: q, k and v in one tensor", "stored: gate and up in one tensor"));
  const std::string page = checkpoint_page(describe_checkpoint(golden_folder("gemma3-hub")));
  fits_the_terminal(page);
  EXPECT_THAT(page, HasSubstr("unlike Llama"));
}

TEST(InspectCheckpoint, ShowsNoRopeWhereNoLayerRotates) {
  const Json gpt2 = describe_checkpoint(golden_folder("gpt2-hub"));
  EXPECT_TRUE(gpt2.at("rope").is_null());
  EXPECT_THAT(checkpoint_page(gpt2), AllOf(HasSubstr("up to 128; no RoPE\n"), Not(HasSubstr("10000"))));
  EXPECT_FALSE(describe_checkpoint(golden_folder("smollm3-hub")).at("rope").is_null());
}

TEST(InspectCheckpoint, SaysWhichWeightsAreInMxfp4) {
  EXPECT_THAT(checkpoint_page(describe_checkpoint(golden_folder("gpt-oss-hub"))),
              HasSubstr("F32, experts in MXFP4, in model.safetensors: "));
  EXPECT_THAT(checkpoint_page(describe_checkpoint(golden_folder("gpt-oss-bare"))), Not(HasSubstr("MXFP4")));
}

TEST(InspectCheckpoint, ShowsEveryWarning) {
  const test::CheckpointCopy copy("llama-hub2023");
  copy.edit_config(R"({"num_hidden_layers": 1, "logit_scale": 2, "eos_token_id": [7, 99]})");
  const Json d = describe_checkpoint(copy.folder());
  EXPECT_EQ(d.at("warnings").size(), 3U);
  EXPECT_EQ(d.at("unused_tensors").size(), 9U);
  EXPECT_EQ(d.at("unknown_config_keys"), Json({"logit_scale"}));
  const std::string page = checkpoint_page(d);
  fits_the_terminal(page);
  EXPECT_THAT(page, AllOf(HasSubstr("stop tokens  2, 7, 99\n"),
                          HasSubstr("warning      config.json has keys that hrt does not know"),
                          HasSubstr("warning      eos_token_id names"),
                          HasSubstr("warning      model.safetensors holds 9 tensors")));
}

TEST(InspectCheckpoint, KnowsTheFamilies) {
  const Json families = describe_families();
  EXPECT_THAT(to_line(families),
              AllOf(HasSubstr("\"llama\""), HasSubstr("\"mistral\""), HasSubstr("\"qwen2\"")));
}

}  // namespace
}  // namespace hrt
