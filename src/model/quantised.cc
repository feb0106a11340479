#include "quantised.h"

#include <string>
#include <string_view>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr std::string_view kOriginal = "use this model's checkpoint in bfloat16, float16 or float32";

// A kind of quantised weights: `quant_method`, and a key that must be set beside it where one method has
// several kinds. A row without a method is chosen by its key alone, for configs that name none.
struct QuantisedKind {
  std::string_view method;
  std::string_view key;
  std::string_view holds;
  std::string_view advice;
};

// The methods of transformers' quantizers/auto.py. The first row that fits counts.
constexpr std::string_view kBnbAdvice =
    "use this model's checkpoint in bfloat16, float16 or float32, or save what model.dequantize() of "
    "transformers makes of it";
constexpr QuantisedKind kKinds[] = {
    {"bitsandbytes", "load_in_4bit", "4-bit bitsandbytes weights", kBnbAdvice},
    {"bitsandbytes", "load_in_8bit", "8-bit bitsandbytes weights", kBnbAdvice},
    {"bitsandbytes", "", "bitsandbytes weights", kBnbAdvice},
    {"", "load_in_4bit", "4-bit bitsandbytes weights", kBnbAdvice},
    {"", "load_in_8bit", "8-bit bitsandbytes weights", kBnbAdvice},
    {"gptq", "", "GPTQ weights", kOriginal},
    {"awq", "", "AWQ weights", kOriginal},
    {"auto-round", "", "AutoRound weights", kOriginal},
    {"fp8", "weight_block_size", "fine-grained fp8 weights (a scale for each block)",
     "save it in bfloat16 with transformers, loaded with FineGrainedFP8Config(dequantize=True)"},
    {"fp8", "", "fp8 weights", kOriginal},
    {"fbgemm_fp8", "", "fp8 weights of FBGEMM", kOriginal},
    {"mxfp8", "", "MXFP8 weights",
     "save it in bfloat16 with transformers, loaded with FineGrainedFP8Config(dequantize=True)"},
    {"mxfp4", "", "MXFP4 weights",
     "save it in bfloat16 with transformers, loaded with Mxfp4Config(dequantize=True)"},
    {"nvfp4", "", "NVFP4 weights", kOriginal},
    {"compressed-tensors", "", "compressed-tensors weights",
     "save it in bfloat16 with transformers, loaded with CompressedTensorsConfig(dequantize=True)"},
    {"modelopt", "", "weights of NVIDIA's ModelOpt", kOriginal},
    {"hqq", "", "HQQ weights", kOriginal},
    {"aqlm", "", "AQLM weights", kOriginal},
    {"vptq", "", "VPTQ weights", kOriginal},
    {"spqr", "", "SpQR weights", kOriginal},
    {"higgs", "", "HIGGS weights", kOriginal},
    {"eetq", "", "8-bit EETQ weights", kOriginal},
    {"quanto", "", "quanto weights", kOriginal},
    {"torchao", "", "torchao weights", kOriginal},
    {"quark", "", "Quark weights", kOriginal},
    {"fp_quant", "", "FP-Quant weights", kOriginal},
    {"fouroversix", "", "4-bit Four Over Six weights", kOriginal},
    {"sinq", "", "SINQ weights", kOriginal},
    {"metal", "", "quantised weights for Metal",
     "save it in bfloat16 with transformers, loaded with MetalConfig(dequantize=True)"},
    {"bitnet", "", "BitNet weights of 1.58 bits", kOriginal},
    {"gguf", "", "GGUF weights", "convert the .gguf file with tools/gguf-to-hf"},
};

bool is_set(const JsonObject& object, std::string_view key) {
  const Json* value = object.find(key);
  return value != nullptr && *value != false;
}

bool fits(const QuantisedKind& kind, std::string_view method, const JsonObject& quantisation) {
  return kind.method == method && (kind.key.empty() || is_set(quantisation, kind.key));
}

QuantisedKind kind_of(std::string_view method, const JsonObject& quantisation) {
  for (const QuantisedKind& kind : kKinds) {
    if (fits(kind, method, quantisation)) return kind;
  }
  return {method, "", "quantised weights", kOriginal};
}

// The method, or that there is none, and the bits where the config says them.
std::string method_text(const std::string& method, const JsonObject& quantisation) {
  const Json* bits = quantisation.find("bits");
  return fmt::format(
      "{}{}",
      method.empty() ? "no quant_method" : fmt::format("quant_method \"{}\"", escape_for_terminal(method)),
      bits != nullptr && bits->is_number_integer() ? fmt::format(", {} bits", to_line(*bits)) : "");
}

}  // namespace

void refuse_quantised(const JsonObject& config, std::string_view readable) {
  // compression_config: the first name of compressed-tensors.
  for (const std::string_view key : {"quantization_config", "compression_config"}) {
    if (!config.has(key)) continue;
    const JsonObject quantisation = config.object(key);
    const std::string method =
        quantisation.string("quant_method", key == "compression_config" ? "compressed-tensors" : "");
    if (!readable.empty() && method == readable) continue;
    const QuantisedKind kind = kind_of(method, quantisation);
    throw InputError("{}: this folder holds {} ({}), which hrt does not read; {}", config.where(key),
                     kind.holds, method_text(method, quantisation), kind.advice);
  }
}

}  // namespace hrt
