#include "hrt/model/families.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/file.h"
#include "model/golden_folders.h"

namespace hrt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Json kLlama = Json::parse(R"({
    "model_type": "llama", "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 3,
    "num_attention_heads": 4, "vocab_size": 80, "max_position_embeddings": 128})");

// The small Llama above with these keys.
Json with(std::string_view changes) {
  Json config = kLlama;
  config.update(Json::parse(changes));
  return config;
}

DecoderSpec spec_of(const Json& config) {
  const JsonObject object(config, "config.json");
  return family_of(object).spec(decoder_config(object));
}

DecoderSpec spec_with(std::string_view changes) { return spec_of(with(changes)); }

std::vector<std::string> unknown_with(std::string_view changes) {
  const Json config = with(changes);
  const JsonObject object(config, "config.json");
  return check_keys(family_of(object), object);
}

// The message with which the config with these keys is refused.
std::string refusal_of(std::string_view changes) {
  try {
    unknown_with(changes);
    spec_with(changes);
    return "nothing: it was taken";
  } catch (const InputError& error) {
    return error.what();
  }
}

struct BadConfig {
  const char* changes;
  const char* message;  // a part of it
};

TEST(Families, EachHasGoldens) {
  std::set<std::string> tested;
  for (const std::filesystem::path& folder : golden_folders()) {
    const Json config = read_json(folder / "config.json");
    tested.emplace(family_of(JsonObject(config, folder.string())).model_type);
  }
  for (const Family& family : families()) {
    EXPECT_TRUE(tested.contains(std::string(family.model_type)))
        << family.model_type
        << " has no goldens: add its variants to VARIANTS in tools/dev/make_tiny_checkpoints.py, "
        << "run it with transformers, and commit the folders that it writes to tests/model/goldens "
        << "(docs/adding-a-family.md)";
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

TEST(Families, LlamaDefaults) {
  const DecoderSpec spec = spec_of(kLlama);
  EXPECT_EQ(spec.kv_heads, 4);
  EXPECT_EQ(spec.head_dim, 8);
  EXPECT_EQ(spec.norm_eps, 1e-6);
  EXPECT_EQ(spec.activation, Activation::kSilu);
  EXPECT_FALSE(spec.qkv_bias || spec.output_bias || spec.mlp_bias || spec.tied_head);
  EXPECT_EQ(spec.rope.kind, RopeSpec::Kind::kDefault);
  EXPECT_EQ(spec.rope.theta, 10000);
  EXPECT_THAT(spec.window, ElementsAre(0, 0, 0));
}

TEST(Families, AbsentPositionsAreTheFamilysDefault) {
  Json config = kLlama;
  config.erase("max_position_embeddings");
  EXPECT_EQ(spec_of(config).max_positions, 2048);
}

TEST(Families, AbsentKvHeadsAreTheFamilysDefaultAndNullMeansHeads) {
  EXPECT_EQ(spec_with(R"({"model_type": "mistral", "num_attention_heads": 16})").kv_heads, 8);
  EXPECT_EQ(spec_with(R"({"model_type": "mistral", "num_key_value_heads": null})").kv_heads, 4);
  EXPECT_EQ(spec_with(R"({"model_type": "qwen2", "num_key_value_heads": null})").kv_heads, 4);
  EXPECT_THROW(spec_with(R"({"model_type": "qwen2"})"), InputError);  // 32 key heads of 4
}

TEST(Families, HeadDimNullMeansHiddenByHeads) {
  EXPECT_EQ(spec_with(R"({"head_dim": null})").head_dim, 8);
  EXPECT_EQ(spec_with(R"({"head_dim": 12})").head_dim, 12);
}

TEST(Families, LlamaBiasesAreAsked) {
  const DecoderSpec spec = spec_with(R"({"attention_bias": true, "mlp_bias": true})");
  EXPECT_TRUE(spec.qkv_bias && spec.output_bias && spec.mlp_bias);
}

TEST(Families, Qwen2AlwaysHasQkvBiases) {
  const DecoderSpec spec = spec_with(R"({"model_type": "qwen2", "num_key_value_heads": 2})");
  EXPECT_TRUE(spec.qkv_bias);
  EXPECT_FALSE(spec.output_bias || spec.mlp_bias);
}

TEST(Families, MistralSlidesEverywhereAndAbsentIsNotNull) {
  const auto window = [](std::string_view changes) {
    Json config = with(R"({"model_type": "mistral", "num_key_value_heads": 4})");
    config.update(Json::parse(changes));
    return spec_of(config).window;
  };
  EXPECT_THAT(window("{}"), ElementsAre(4096, 4096, 4096));
  EXPECT_THAT(window(R"({"sliding_window": null})"), ElementsAre(0, 0, 0));
  EXPECT_THAT(window(R"({"sliding_window": 7})"), ElementsAre(7, 7, 7));
  EXPECT_THROW(window(R"({"sliding_window": 0})"), InputError);
}

struct WindowCase {
  const char* changes;
  std::vector<std::int64_t> window;
};

TEST(Families, Qwen2Windows) {
  const WindowCase cases[] = {
      {R"({"sliding_window": 9, "max_window_layers": 1})", {0, 0, 0}},
      {R"({"sliding_window": 9, "max_window_layers": 1, "use_sliding_window": true})", {0, 9, 9}},
      {R"({"sliding_window": 9, "use_sliding_window": true})", {0, 0, 0}},
      {R"({"max_window_layers": 0, "use_sliding_window": true})", {4096, 4096, 4096}},
      {R"({"sliding_window": null, "max_window_layers": 0, "use_sliding_window": true})", {0, 0, 0}},
      {R"({"sliding_window": 9, "max_window_layers": 0, "use_sliding_window": true,
           "layer_types": ["full_attention", "sliding_attention", "full_attention"]})",
       {0, 9, 0}},
  };
  for (const WindowCase& one : cases) {
    Json config = with(R"({"model_type": "qwen2", "num_key_value_heads": 4})");
    config.update(Json::parse(one.changes));
    EXPECT_EQ(spec_of(config).window, one.window) << one.changes;
  }
}

TEST(Families, RopeInTheOldAndTheNewSpelling) {
  EXPECT_EQ(spec_with(R"({"rope_theta": 500000, "rope_scaling": null})").rope.theta, 500000);
  const RopeSpec old_spelling =
      spec_with(R"({"rope_theta": 5, "rope_scaling": {"type": "linear", "factor": 2}})").rope;
  const RopeSpec new_spelling =
      spec_with(R"({"rope_parameters": {"rope_type": "linear", "factor": 2, "rope_theta": 5}})").rope;
  for (const RopeSpec& rope : {old_spelling, new_spelling}) {
    EXPECT_EQ(rope.kind, RopeSpec::Kind::kLinear);
    EXPECT_EQ(rope.theta, 5);
    EXPECT_EQ(rope.factor, 2);
  }
}

TEST(Families, RopePrecedence) {
  // rope_scaling beats rope_parameters as a whole, also its theta; an empty one counts as none.
  const RopeSpec scaling = spec_with(R"({"rope_scaling": {"type": "linear", "factor": 2},
                                         "rope_parameters": {"rope_type": "default", "rope_theta": 5}})")
                               .rope;
  EXPECT_EQ(scaling.kind, RopeSpec::Kind::kLinear);
  EXPECT_EQ(scaling.theta, 10000);
  EXPECT_EQ(spec_with(R"({"rope_scaling": {}, "rope_parameters": {"rope_theta": 5}})").rope.theta, 5);
  EXPECT_EQ(spec_with(R"({"rope_theta": 7, "rope_parameters": {"rope_theta": 5}})").rope.theta, 5);
  EXPECT_EQ(spec_with(R"({"rope_scaling": {"type": "linear", "rope_type": "yarn", "factor": 2}})").rope.kind,
            RopeSpec::Kind::kYarn);
}

TEST(Families, YarnDefaults) {
  const RopeSpec rope =
      spec_with(R"({"rope_scaling": {"type": "yarn", "factor": 4, "beta_fast": 0, "mscale": 0}})").rope;
  EXPECT_EQ(rope.original_max_positions, 128);
  EXPECT_EQ(rope.beta_fast, 32);
  EXPECT_EQ(rope.beta_slow, 1);
  EXPECT_TRUE(rope.truncate);
  EXPECT_FALSE(rope.attention_factor || rope.mscale || rope.mscale_all_dim);
}

TEST(Families, YarnFactorNullIsTheRatioOfPositions) {
  const RopeSpec rope = spec_with(R"({"rope_scaling": {"type": "yarn", "factor": null,
                                                       "original_max_position_embeddings": 32}})")
                            .rope;
  EXPECT_EQ(rope.factor, 4);
}

TEST(Families, OriginalPositionsOutsideTheRopeObjectWin) {
  const RopeSpec rope = spec_with(R"({"original_max_position_embeddings": 16, "rope_scaling":
      {"type": "yarn", "factor": 4, "original_max_position_embeddings": 32}})")
                            .rope;
  EXPECT_EQ(rope.original_max_positions, 16);
}

TEST(Families, ActivationsByTheirNames) {
  EXPECT_EQ(spec_with(R"({"hidden_act": "gelu"})").activation, Activation::kGelu);
  EXPECT_EQ(spec_with(R"({"hidden_act": "gelu_new"})").activation, Activation::kGeluTanh);
  EXPECT_EQ(spec_with(R"({"hidden_act": "relu"})").activation, Activation::kRelu);
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

TEST(Families, Gemma3LayersByTheirPattern) {
  const DecoderSpec spec = spec_with(
      R"({"model_type": "gemma3_text", "num_key_value_heads": 4, "sliding_window_pattern": 2,
          "rope_theta": 7, "rope_local_base_freq": 5})");
  EXPECT_THAT(spec.window, ElementsAre(4096, 0, 4096));
  EXPECT_THAT(spec.rotation, ElementsAre(Rotation::kLocal, Rotation::kGlobal, Rotation::kLocal));
  EXPECT_EQ(spec.rope.theta, 7);
  EXPECT_EQ(spec.local_rope->theta, 5);
  EXPECT_EQ(spec.head_dim, 256);
  EXPECT_EQ(spec.query_scale, 1.0 / 16);
}

TEST(Families, Gemma3WithoutKeysHasTwoThetas) {
  const DecoderSpec spec = spec_with(R"({"model_type": "gemma3_text"})");
  EXPECT_EQ(spec.kv_heads, 4);
  EXPECT_EQ(spec.rope.theta, 1e6);
  EXPECT_EQ(spec.local_rope->theta, 1e4);
  EXPECT_TRUE(spec.tied_head);
}

TEST(Families, Gemma2SoftcapsAbsentAndNull) {
  EXPECT_EQ(spec_with(R"({"model_type": "gemma2"})").attention_softcap, 50);
  EXPECT_EQ(spec_with(R"({"model_type": "gemma2"})").logit_softcap, 30);
  EXPECT_EQ(spec_with(R"({"model_type": "gemma2", "attn_logit_softcapping": null})").attention_softcap, 0);
  EXPECT_THAT(spec_with(R"({"model_type": "gemma2"})").window, ElementsAre(4096, 0, 4096));
}

TEST(Families, Gemma1IgnoresHiddenActivation) {
  const DecoderSpec spec = spec_with(R"({"model_type": "gemma", "num_key_value_heads": 4,
                                         "hidden_act": "gelu", "hidden_activation": "relu"})");
  EXPECT_EQ(spec.activation, Activation::kGeluTanh);
}

TEST(Families, DefaultsThatAreUnlikeLlamas) {
  EXPECT_EQ(spec_with(R"({"model_type": "cohere"})").rope.theta, 5e5);
  EXPECT_EQ(spec_with(R"({"model_type": "cohere"})").logit_scale, 0.0625);
  EXPECT_EQ(spec_with(R"({"model_type": "smollm3"})").rope.theta, 2e6);
  EXPECT_EQ(spec_with(R"({"model_type": "smollm3"})").rotation[2], Rotation::kGlobal);
  EXPECT_EQ(spec_with(R"({"model_type": "smollm3", "no_rope_layer_interval": 3})").rotation[2],
            Rotation::kNone);
  EXPECT_EQ(spec_with(R"({"model_type": "qwen3", "num_key_value_heads": 4})").head_dim, 128);
  EXPECT_EQ(spec_with(R"({"model_type": "olmo2"})").norm_eps, 1e-5);
  const DecoderSpec glm = spec_with(R"({"model_type": "glm4"})");
  EXPECT_EQ(glm.rotary_dim, 64);
  EXPECT_EQ(glm.norm_eps, 1.5625e-7);
  EXPECT_TRUE(glm.qkv_bias);
  EXPECT_FALSE(glm.output_bias);
}

TEST(Families, MixtralsExperts) {
  const DecoderSpec spec = spec_with(R"({"model_type": "mixtral", "num_key_value_heads": 4})");
  EXPECT_EQ(spec.experts->count, 8);
  EXPECT_EQ(spec.experts->per_token, 2);
  EXPECT_EQ(spec.experts->intermediate, 40);
  EXPECT_EQ(spec.experts->shared_intermediate, 0);
  EXPECT_TRUE(spec.experts->normalised);
  EXPECT_THAT(spec.experts->layers, ElementsAre(true, true, true));
  EXPECT_EQ(spec.rope.theta, 1e6);
  EXPECT_EQ(spec.norm_eps, 1e-5);
  EXPECT_THAT(spec.window, ElementsAre(0, 0, 0));
  EXPECT_EQ(spec_with(R"({"model_type": "mixtral", "num_attention_heads": 16})").kv_heads, 8);
}

TEST(Families, QwensExperts) {
  const DecoderSpec qwen2 = spec_with(R"({"model_type": "qwen2_moe", "num_key_value_heads": 4})");
  EXPECT_EQ(qwen2.experts->count, 60);
  EXPECT_EQ(qwen2.experts->per_token, 4);
  EXPECT_EQ(qwen2.experts->intermediate, 1408);
  EXPECT_EQ(qwen2.experts->shared_intermediate, 5632);
  EXPECT_FALSE(qwen2.experts->normalised);
  EXPECT_TRUE(qwen2.qkv_bias);
  const DecoderSpec qwen3 = spec_with(R"({"model_type": "qwen3_moe", "num_experts": 16})");
  EXPECT_EQ(qwen3.kv_heads, 4);
  EXPECT_EQ(qwen3.head_dim, 8);
  EXPECT_EQ(qwen3.experts->count, 16);
  EXPECT_EQ(qwen3.experts->per_token, 8);
  EXPECT_EQ(qwen3.experts->intermediate, 768);
  EXPECT_EQ(qwen3.experts->shared_intermediate, 0);
  EXPECT_FALSE(qwen3.qkv_bias);
  const auto both = R"({"model_type": "qwen3_moe", "num_experts": 16, "num_local_experts": 32})";
  EXPECT_EQ(spec_with(both).experts->count, 32);
}

TEST(Families, QwensSparseLayers) {
  const auto layers = [](std::string_view changes) {
    Json config = with(R"({"model_type": "qwen2_moe", "num_key_value_heads": 4})");
    config.update(Json::parse(changes));
    return spec_of(config).experts->layers;
  };
  EXPECT_THAT(layers("{}"), ElementsAre(true, true, true));
  EXPECT_THAT(layers(R"({"decoder_sparse_step": 2})"), ElementsAre(false, true, false));
  EXPECT_THAT(layers(R"({"mlp_only_layers": [0, 7]})"), ElementsAre(false, true, true));
  EXPECT_THAT(layers(R"({"mlp_only_layers": [1], "decoder_sparse_step": 2})"),
              ElementsAre(false, false, false));
}

TEST(Families, WindowsOfQwensWithExperts) {
  const WindowCase cases[] = {
      {R"({"model_type": "qwen2_moe", "sliding_window": 9})", {0, 0, 0}},
      {R"({"model_type": "qwen2_moe", "sliding_window": 9, "use_sliding_window": true})", {9, 0, 9}},
      {R"({"model_type": "qwen2_moe", "use_sliding_window": true, "max_window_layers": 2})", {4096, 0, 0}},
      {R"({"model_type": "qwen2_moe", "sliding_window": 9, "use_sliding_window": true,
           "layer_types": ["full_attention", "sliding_attention", "full_attention"]})",
       {0, 9, 0}},
      {R"({"model_type": "qwen3_moe", "sliding_window": 9, "max_window_layers": 2})", {0, 0, 0}},
      {R"({"model_type": "qwen3_moe", "use_sliding_window": true})", {4096, 4096, 4096}},
  };
  for (const WindowCase& one : cases) {
    Json config = with(R"({"num_key_value_heads": 4})");
    config.update(Json::parse(one.changes));
    EXPECT_EQ(spec_of(config).window, one.window) << one.changes;
  }
}

TEST(Families, GptOssWithoutKeys) {
  const DecoderSpec spec = spec_with(R"({"model_type": "gpt_oss", "num_key_value_heads": 4})");
  EXPECT_EQ(spec.head_dim, 64);
  EXPECT_EQ(spec.norm_eps, 1e-5);
  EXPECT_TRUE(spec.qkv_bias && spec.output_bias && spec.mlp_bias && spec.attention_sinks);
  EXPECT_THAT(spec.window, ElementsAre(128, 0, 128));
  EXPECT_EQ(spec.rope.kind, RopeSpec::Kind::kYarn);
  EXPECT_EQ(spec.rope.theta, 150000);
  EXPECT_EQ(spec.rope.factor, 32);
  EXPECT_EQ(spec.rope.original_max_positions, 4096);
  EXPECT_FALSE(spec.rope.truncate);
  EXPECT_EQ(spec.clamped_swiglu->alpha, 1.702);
  EXPECT_EQ(spec.clamped_swiglu->limit, 7);
  EXPECT_EQ(spec.experts->count, 128);
  EXPECT_EQ(spec.experts->per_token, 4);
  EXPECT_TRUE(spec.experts->router_bias && spec.experts->normalised);
  EXPECT_EQ(spec.experts->files, ExpertsSpec::Files::kStacked);
}

TEST(Families, GptOssIsReadInMxfp4AndInNoOtherQuantisation) {
  const std::string gpt_oss = R"({"model_type": "gpt_oss", "num_key_value_heads": 4, "intermediate_size": 64,
                                  "quantization_config": {"quant_method": "METHOD"}})";
  const auto with_method = [&](std::string_view method) {
    return std::string(gpt_oss).replace(gpt_oss.find("METHOD"), 6, method);
  };
  EXPECT_THAT(unknown_with(with_method("mxfp4")), IsEmpty());
  EXPECT_EQ(spec_with(with_method("mxfp4")).experts->files, ExpertsSpec::Files::kMxfp4);
  EXPECT_THAT(refusal_of(with_method("bitsandbytes")), ::testing::HasSubstr("holds bitsandbytes weights"));
}

TEST(Families, NeoxRotatesAQuarter) {
  const DecoderSpec spec = spec_with(R"({"model_type": "gpt_neox"})");
  EXPECT_EQ(spec.rotary_dim, 2);
  EXPECT_EQ(spec.rope.theta, 10000);
  EXPECT_TRUE(spec.parallel && spec.qkv_bias && spec.output_bias && spec.mlp_bias);
  EXPECT_EQ(spec_with(R"({"model_type": "gpt_neox", "rotary_pct": 1, "rotary_emb_base": 7})").rope.theta, 7);
}

TEST(Families, LongRopeOfPhi3) {
  const DecoderSpec spec = spec_with(R"({"model_type": "phi3", "max_position_embeddings": 16384,
      "rope_scaling": {"type": "su", "short_factor": [1, 1, 1, 1], "long_factor": [1, 2, 3, 4]}})");
  EXPECT_EQ(spec.rope.original_max_positions, 4096);
  EXPECT_EQ(spec.rope.factor, 4);
  EXPECT_FALSE(rotates_by_length(spec, 4096));
  EXPECT_TRUE(rotates_by_length(spec, 4097));
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

struct QuantisedConfig {
  const char* json;
  const char* holds;
  const char* advice;
};

TEST(Families, QuantisedFoldersAreNamedWithWhatToUseInstead) {
  const QuantisedConfig cases[] = {
      {R"({"quant_method": "bitsandbytes", "load_in_4bit": true, "load_in_8bit": false})",
       "4-bit bitsandbytes weights (quant_method \"bitsandbytes\")", "model.dequantize()"},
      {R"({"quant_method": "bitsandbytes", "load_in_4bit": false, "load_in_8bit": true})",
       "8-bit bitsandbytes weights", "model.dequantize()"},
      {R"({"load_in_8bit": true})", "8-bit bitsandbytes weights (quant_method \"\")", "model.dequantize()"},
      {R"({"quant_method": "gptq", "bits": 4, "group_size": 128})",
       "GPTQ weights (quant_method \"gptq\", 4 bits)", "checkpoint in bfloat16"},
      {R"({"quant_method": "awq", "bits": 4})", "AWQ weights", "checkpoint in bfloat16"},
      {R"({"quant_method": "fp8", "weight_block_size": [128, 128]})", "fine-grained fp8 weights",
       "FineGrainedFP8Config(dequantize=True)"},
      {R"({"quant_method": "fp8", "weight_block_size": null})", "holds fp8 weights",
       "checkpoint in bfloat16"},
      {R"({"quant_method": "fbgemm_fp8"})", "fp8 weights of FBGEMM", "checkpoint in bfloat16"},
      {R"({"quant_method": "compressed-tensors"})", "compressed-tensors weights",
       "CompressedTensorsConfig(dequantize=True)"},
      {R"({"quant_method": "mxfp4"})", "MXFP4 weights", "Mxfp4Config(dequantize=True)"},
      {R"({"quant_method": "hqq"})", "HQQ weights", "checkpoint in bfloat16"},
      {R"({"quant_method": "aqlm"})", "AQLM weights", "checkpoint in bfloat16"},
      {R"({"quant_method": "eetq"})", "8-bit EETQ weights", "checkpoint in bfloat16"},
      {R"({"quant_method": "quanto"})", "quanto weights", "checkpoint in bfloat16"},
      {R"({"quant_method": "torchao"})", "torchao weights", "checkpoint in bfloat16"},
      {R"({"quant_method": "gguf"})", "GGUF weights", "tools/gguf-to-hf"},
      {R"({"quant_method": "brand\nnew"})", "quantised weights (quant_method \"brand\\nnew\")",
       "checkpoint in bfloat16"},
  };
  for (const QuantisedConfig& one : cases) {
    const std::string changes = fmt::format(R"({{"quantization_config": {}}})", one.json);
    const std::string message = refusal_of(changes);
    EXPECT_THAT(message, ::testing::StartsWith("config.json: /quantization_config: this folder holds "));
    EXPECT_THAT(message, ::testing::HasSubstr(one.holds));
    EXPECT_THAT(message, ::testing::HasSubstr(one.advice));
    EXPECT_THAT(message, ::testing::Not(::testing::HasSubstr("\n")));
  }
}

TEST(Families, QuantisedUnderTheOldKeyAndInsideAMultimodalConfig) {
  const BadConfig cases[] = {
      {R"({"compression_config": {"format": "pack-quantized"}})",
       "/compression_config: this folder holds compressed-tensors weights"},
      {R"({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text",
           "quantization_config": {"quant_method": "gptq"}}})",
       "/text_config/quantization_config: this folder holds GPTQ weights"},
  };
  for (const BadConfig& bad : cases) EXPECT_THAT(refusal_of(bad.changes), ::testing::HasSubstr(bad.message));
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
    EXPECT_THAT(refusal_of(bad.changes), ::testing::HasSubstr(bad.message)) << bad.changes;
  }
}

}  // namespace
}  // namespace hrt
