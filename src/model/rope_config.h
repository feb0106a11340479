#pragma once

#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/model/families.h"

namespace hrt {

// The rotary embedding that config.json asks for, in the old spelling (rope_theta, rope_scaling) or the new
// (rope_parameters), with transformers' precedence. Throws InputError on an unknown kind or a missing or
// impossible value. Sets rope, local_rope and rotary_dim; needs head_dim and max_positions.
void read_rope(const JsonObject& config, const RopeRules& rules, DecoderSpec& spec);

// The keys inside the RoPE object that its kind does not read, as "rope_scaling/NAME"; refuses those that
// change the rotation in ways that hrt does not implement.
std::vector<std::string> check_rope_keys(const JsonObject& config, const RopeRules& rules);

}  // namespace hrt
