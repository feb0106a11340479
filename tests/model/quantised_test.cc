#include "quantised.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "model/small_config.h"

namespace hrt {
namespace {

using test::BadConfig;
using test::refusal_of;
using test::spec_with;
using test::unknown_with;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct QuantisedConfig {
  const char* json;
  const char* holds;
  const char* advice;
};

TEST(Quantised, QuantisedFoldersAreNamedWithWhatToUseInstead) {
  const QuantisedConfig cases[] = {
      {R"({"quant_method": "bitsandbytes", "load_in_4bit": true, "load_in_8bit": false})",
       "4-bit bitsandbytes weights (quant_method \"bitsandbytes\")", "model.dequantize()"},
      {R"({"quant_method": "bitsandbytes", "load_in_4bit": false, "load_in_8bit": true})",
       "8-bit bitsandbytes weights", "model.dequantize()"},
      {R"({"load_in_8bit": true})", "8-bit bitsandbytes weights (no quant_method)", "model.dequantize()"},
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
    EXPECT_THAT(message, StartsWith("config.json: /quantization_config: this folder holds "));
    EXPECT_THAT(message, HasSubstr(one.holds));
    EXPECT_THAT(message, HasSubstr(one.advice));
    EXPECT_THAT(message, Not(HasSubstr("\n")));
  }
}

TEST(Quantised, QuantisedUnderTheOldKeyAndInsideAMultimodalConfig) {
  const BadConfig cases[] = {
      {R"({"compression_config": {"format": "pack-quantized"}})",
       "/compression_config: this folder holds compressed-tensors weights"},
      {R"({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text",
           "quantization_config": {"quant_method": "gptq"}}})",
       "/text_config/quantization_config: this folder holds GPTQ weights"},
  };
  for (const BadConfig& bad : cases) EXPECT_THAT(refusal_of(bad.changes), HasSubstr(bad.message));
}

TEST(Quantised, GptOssIsReadInMxfp4AndInNoOtherQuantisation) {
  const std::string gpt_oss = R"({"model_type": "gpt_oss", "num_key_value_heads": 4, "intermediate_size": 64,
                                  "quantization_config": {"quant_method": "METHOD"}})";
  const auto with_method = [&](std::string_view method) {
    return std::string(gpt_oss).replace(gpt_oss.find("METHOD"), 6, method);
  };
  EXPECT_THAT(unknown_with(with_method("mxfp4")), IsEmpty());
  EXPECT_EQ(spec_with(with_method("mxfp4")).experts->files, ExpertsSpec::Files::kMxfp4);
  EXPECT_THAT(refusal_of(with_method("bitsandbytes")), HasSubstr("holds bitsandbytes weights"));
}

}  // namespace
}  // namespace hrt
