#pragma once

#include "hrt/model/families.h"

namespace hrt {

// Each model_type that hrt knows. What its keys mean, and what their absence means: transformers'
// configuration and modeling files of the same name.
Family cohere_family();
Family gemma_family();
Family gemma2_family();
Family gemma3_text_family();
Family glm4_family();
Family gpt2_family();
Family gpt_neox_family();
Family gpt_oss_family();
Family granite_family();
Family llama_family();
Family mistral_family();
Family mixtral_family();
Family olmo2_family();
Family phi3_family();
Family qwen2_family();
Family qwen2_moe_family();
Family qwen3_family();
Family qwen3_moe_family();
Family smollm3_family();
Family starcoder2_family();

}  // namespace hrt
