#include "hrt/model/families.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "hrt/base/file.h"
#include "model/golden_folders.h"
#include "model/small_config.h"

namespace hrt {
namespace {

using test::BadConfig;
using test::refusal_of;
using test::unknown_with;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Families, EachHasGoldens) {
  std::set<std::string> tested;
  for (const std::filesystem::path& folder : golden_folders()) {
    const Json config = read_json(folder / "config.json");
    tested.emplace(family_of(JsonObject(config, folder.string())).model_type);
  }
  for (const Family& family : families()) {
    EXPECT_TRUE(tested.contains(std::string(family.model_type)))
        << family.model_type
        << " has no goldens: add its variants to VARIANTS in tools/dev/tiny_variants.py, "
        << "run make_tiny_checkpoints.py with transformers, and commit the folders that it writes to "
        << "tests/model/goldens (docs/adding-a-family.md)";
  }
}

TEST(Families, EachStandsInTheReadme) {
  const std::string readme = read_file(std::filesystem::path(HRT_SOURCE_DIR) / "README.md");
  for (const Family& family : families()) {
    EXPECT_THAT(readme, HasSubstr(fmt::format("`{}`", family.model_type)))
        << "add the model_type to the list of families in README.md (docs/adding-a-family.md)";
  }
}

TEST(Families, AreInOrderAndTheirKeysInOneListEach) {
  EXPECT_TRUE(std::ranges::is_sorted(families(), {}, &Family::model_type));
  for (const Family& family : families()) {
    std::set<std::string_view> keys;
    for (const std::string_view key : family.read) EXPECT_TRUE(keys.insert(key).second) << key;
    for (const std::string_view key : family.harmless) EXPECT_TRUE(keys.insert(key).second) << key;
    for (const UnsupportedKey& row : family.unsupported) EXPECT_TRUE(keys.insert(row.key).second) << row.key;
  }
}

TEST(Families, GoldenConfigsHaveNoUnknownKey) {
  for (const std::filesystem::path& folder : golden_folders()) {
    const Json config = read_json(folder / "config.json");
    const JsonObject object(config, folder.string());
    EXPECT_THAT(check_keys(family_of(object), object), IsEmpty()) << folder;
  }
}

TEST(Families, UnknownKeysAreReturned) {
  EXPECT_THAT(unknown_with("{}"), IsEmpty());
  EXPECT_THAT(unknown_with(R"({"logit_scale": 2, "pretraining_tp": 2})"), ElementsAre("logit_scale"));
  EXPECT_THAT(unknown_with(R"({"rope_scaling": {"type": "linear", "factor": 2, "low_freq_factor": 1}})"),
              ElementsAre("rope_scaling/low_freq_factor"));
}

TEST(Families, NeutralValuesOfUnsupportedKeysAreTaken) {
  EXPECT_THAT(
      unknown_with(R"({"partial_rotary_factor": 1, "is_encoder_decoder": false, "sliding_window": null})"),
      IsEmpty());
}

TEST(Families, KeysAroundAndInAMultimodalDecoder) {
  const auto unknown = [](std::string_view text) {
    const Json config = Json::parse(text);
    const JsonObject object(config, "config.json");
    return check_keys(family_of(object), object);
  };
  EXPECT_THAT(unknown(R"({"model_type": "gemma3", "mystery": 1, "vision_config": {},
                          "text_config": {"model_type": "gemma3_text", "riddle": 2}})"),
              ElementsAre("mystery", "text_config/riddle"));
}

TEST(Families, RefusesWithFileAndPlace) {
  const BadConfig cases[] = {
      {R"({"model_type": "mamba"})", "config.json: /model_type: hrt does not know \"mamba\", only cohere"},
      {R"({"model_type": null})", "/model_type is missing"},
      {R"({"hidden_size": null})", "/hidden_size is missing"},
      {R"({"hidden_size": "32"})", "/hidden_size must be an integer, found \"32\""},
      {R"({"hidden_size": 32.5})", "/hidden_size must be an integer"},
      {R"({"hidden_size": 33})", "/hidden_size is 33, expected a multiple of num_attention_heads"},
      {R"({"hidden_size": 1000000000000000000})", "/hidden_size is 1000000000000000000, expected"},
      {R"({"num_hidden_layers": 0})", "/num_hidden_layers is 0"},
      {R"({"num_hidden_layers": 1000000000000000000})", "/num_hidden_layers"},
      {R"({"vocab_size": -1})", "/vocab_size is -1"},
      {R"({"num_key_value_heads": 3})", "/num_key_value_heads is 3, which does not divide"},
      {R"({"head_dim": 7})", "/head_dim: heads have 7 dimensions"},
      {R"({"rms_norm_eps": "1e-5"})", "/rms_norm_eps must be a finite number"},
      {R"({"tie_word_embeddings": 1})", "/tie_word_embeddings must be true or false"},
      {R"({"hidden_act": "quick_gelu"})", "/hidden_act: hrt has no activation \"quick_gelu\", only silu"},
      {R"({"rope_theta": 0})", "/rope_theta is 0"},
      {R"({"rope_scaling": "linear"})", "/rope_scaling must be an object"},
      {R"({"rope_scaling": {"type": "su"}})",
       "/rope_scaling/type: hrt has no RoPE kind \"su\", only default"},
      {R"({"rope_scaling": {"type": "longrope", "short_factor": [1, 2]}})",
       "/rope_scaling/short_factor must list a factor for each of the 4 rotated pairs"},
      {R"({"rope_scaling": {"type": "longrope", "short_factor": [1, 2, 3, 0]}})",
       "/rope_scaling/short_factor/3 is 0"},
      {R"({"model_type": "cohere", "use_qk_norm": true})",
       "/use_qk_norm is true, but hrt supports only false"},
      {R"({"model_type": "gemma2", "use_bidirectional_attention": true})", "/use_bidirectional_attention"},
      {R"({"model_type": "gemma3_text", "num_key_value_heads": 4, "attn_logit_softcapping": 50})",
       "/attn_logit_softcapping is 50"},
      {R"({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text"}})",
       "/text_config/num_hidden_layers is missing"},
      {R"({"model_type": "gemma3"})", "/text_config is missing"},
      {R"({"model_type": "gemma3", "tie_word_embeddings": false})", "/text_config is missing"},
      {R"({"model_type": "glm4", "num_key_value_heads": 4, "partial_rotary_factor": 0.01})",
       "/partial_rotary_factor: 1 of the 128 dimensions of a head are rotated"},
      {R"({"model_type": "gpt2", "scale_attn_by_inverse_layer_idx": true})",
       "/scale_attn_by_inverse_layer_idx"},
      {R"({"model_type": "smollm3", "num_key_value_heads": 4, "no_rope_layers": [1]})",
       "/no_rope_layers must list 0 or 1 for each of the 3 layers"},
      {R"({"model_type": "gpt_oss", "num_key_value_heads": 4, "quantization_config": {"quant_method": "mxfp4"}})",
       "/intermediate_size is 40, expected a multiple of MXFP4's 32"},
      {R"({"model_type": "mixtral", "num_key_value_heads": 4, "num_experts_per_tok": 9})",
       "/num_experts_per_tok is 9, more than the 8 experts"},
      {R"({"model_type": "mixtral", "num_key_value_heads": 4, "num_local_experts": 1000000000})",
       "/num_local_experts is 1000000000, expected"},
      {R"({"model_type": "qwen3_moe", "mlp_only_layers": [-1]})",
       "/mlp_only_layers is [-1], expected a list of layers"},
      {R"({"model_type": "starcoder2", "mlp_type": "gated"})", "/mlp_type is \"gated\""},
      {R"({"rope_parameters": {"rope_type": "mrope"}})", "/rope_parameters/rope_type"},
      {R"({"rope_scaling": {"type": "linear"}})", "/rope_scaling/factor is missing"},
      {R"({"rope_scaling": {"type": "linear", "factor": 0}})", "/rope_scaling/factor is 0"},
      {R"({"rope_scaling": {"type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4}})",
       "/rope_scaling/high_freq_factor is 4, expected more"},
      {R"({"rope_parameters": {"full_attention": {"rope_theta": 5}}})", "/rope_parameters/full_attention"},
      {R"({"rope_scaling": {"type": "linear", "factor": 2, "partial_rotary_factor": 0.5}})",
       "partial_rotary_factor"},
      {R"({"partial_rotary_factor": 0.5})", "/partial_rotary_factor is 0.5, but hrt supports only 1.0"},
      {R"({"sliding_window": 16})", "/sliding_window is 16"},
      {R"({"model_type": "qwen2", "num_key_value_heads": 4, "layer_types": ["full_attention"]})",
       "/layer_types must list"},
      {R"({"model_type": "qwen2", "num_key_value_heads": 4, "layer_types": ["full_attention", "mamba", ""]})",
       "/layer_types/1 is \"mamba\""},
      {R"({"model_type": "qwen2", "num_key_value_heads": 4,
           "layer_types": ["sliding_attention", "full_attention", "full_attention"]})",
       "no sliding_window is in use"},
  };
  for (const BadConfig& bad : cases) {
    EXPECT_THAT(refusal_of(bad.changes), HasSubstr(bad.message)) << bad.changes;
  }
}

}  // namespace
}  // namespace hrt
