#pragma once

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/model/families.h"

namespace hrt {

// config.json of each model_type, read. What its keys mean, and what their absence means: transformers'
// configuration and modeling files of the same name.
DecoderSpec llama_spec(const JsonObject& config);
DecoderSpec mistral_spec(const JsonObject& config);
DecoderSpec qwen2_spec(const JsonObject& config);

// model.layers.N.self_attn.q_proj.weight and so on.
WeightNames llama_names(const DecoderSpec& spec);

}  // namespace hrt
