#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"
#include "hrt/model/families.h"

namespace hrt {

// How a family spells what every family has, and what absence means in its configuration class.
struct CommonDefaults {
  std::int64_t heads = 0;       // 0: must be written
  std::int64_t kv_heads = 0;    // 0: as many as heads
  std::int64_t head_dim = 0;    // 0: hidden / heads
  std::int64_t vocabulary = 0;  // 0: must be written
  std::int64_t max_positions = 0;
  std::string_view norm_eps_key = "rms_norm_eps";
  double norm_eps = 1e-6;
  std::string_view activation_key = "hidden_act";
  std::string_view activation = "silu";
  bool tied_head = false;
};

// Sizes, norms' epsilon, activation, tied head and rotation, from the keys that nearly every family uses. No
// biases, no windows; every layer rotates globally.
DecoderSpec common_spec(const JsonObject& config, const CommonDefaults& defaults, const RopeRules& rope);

// `attention_bias`: q, k, v and the output projection.
void read_attention_bias(const JsonObject& config, DecoderSpec& spec);

// How a family spells its experts, and what absence means.
struct ExpertDefaults {
  std::array<std::string_view, 2> count_keys;  // the first that is there counts
  std::int64_t count = 0;
  std::int64_t per_token = 0;
  std::string_view intermediate_key = "intermediate_size";
  std::int64_t intermediate = 0;  // 0: must be written
};

// Experts in every layer, normalised, none shared.
ExpertsSpec read_experts(const JsonObject& config, const ExpertDefaults& defaults, std::int64_t layers);

// A factor that something is multiplied with.
double read_multiplier(const JsonObject& config, std::string_view key, double fallback);

// `sliding_window`: 0 when there is none, which is what null means; a written 0 would hide every key.
std::int64_t read_window(const JsonObject& config, std::int64_t absent);

// `layer_types`, which must be there: `window` for each layer that slides.
void apply_layer_types(const JsonObject& config, std::int64_t window, DecoderSpec& spec);

}  // namespace hrt
