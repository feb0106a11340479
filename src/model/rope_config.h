#pragma once

#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"

namespace hrt {

// The rotary embedding that config.json asks for, in the old spelling (rope_theta, rope_scaling) or the new
// (rope_parameters), with transformers' precedence. Throws InputError on an unknown kind or a missing or
// impossible value.
RopeSpec read_rope(const JsonObject& config, std::int64_t max_positions, double default_theta = 10000.0);

// The keys inside the RoPE object that its kind does not read, as "rope_scaling/NAME"; refuses those that
// change the rotation in ways that hrt does not implement.
std::vector<std::string> check_rope_keys(const JsonObject& config);

}  // namespace hrt
