#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hrt {

enum class Activation { kSilu, kGelu, kGeluTanh, kRelu };

// Rotary position embedding. Formulas: transformers' modeling_rope_utils.
struct RopeSpec {
  enum class Kind { kDefault, kLinear, kDynamic, kYarn, kLlama3 };
  Kind kind = Kind::kDefault;
  double theta = 10000.0;
  double factor = 1.0;
  std::int64_t original_max_positions = 0;
  // yarn
  double beta_fast = 32.0;
  double beta_slow = 1.0;
  std::optional<double> attention_factor;
  std::optional<double> mscale;
  std::optional<double> mscale_all_dim;
  bool truncate = true;
  // llama3
  double low_freq_factor = 1.0;
  double high_freq_factor = 4.0;
};

// Everything that the one decoder needs to know about a family's arithmetic, as plain data.
struct DecoderSpec {
  std::string family;  // config.json's model_type
  std::int64_t layers = 0;
  std::int64_t hidden = 0;
  std::int64_t intermediate = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t vocabulary = 0;
  std::int64_t max_positions = 0;
  double norm_eps = 1e-6;
  Activation activation = Activation::kSilu;
  bool qkv_bias = false;
  bool output_bias = false;  // the attention's output projection
  bool mlp_bias = false;
  bool tied_head = false;
  RopeSpec rope;
  // Per layer: a query at q sees keys k with q - k < window; 0 means all.
  std::vector<std::int64_t> window;
};

}  // namespace hrt
