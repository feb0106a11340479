#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"

namespace hrt {

// The tensors of one linear map, weight [out, in] (or [in, out], see NameTable) and bias [out]; of a norm,
// both [width]. `bias` is empty where the family has none, both are where it has no such map or norm.
struct TensorNames {
  std::string weight;
  std::string bias;
  std::string scales = {};  // of a weight in MXFP4
};

struct MlpNames {
  std::vector<TensorNames> gate_up;  // gate and up [intermediate, hidden], or one tensor of both; up alone
  TensorNames down;                  // [hidden, intermediate]
};

struct LayerWeightNames {
  TensorNames attention_norm;       // [hidden]
  std::vector<TensorNames> qkv;     // q, k and v, or one tensor of all their rows
  std::string sinks;                // [heads], or empty
  std::string q_norm, k_norm;       // [head_dim], or [heads * head_dim] and [kv_heads * head_dim]
  TensorNames o;                    // [hidden, heads * head_dim]
  TensorNames attention_post_norm;  // [hidden]
  TensorNames mlp_norm;             // [hidden]; the attention's where the two share it
  MlpNames mlp;                     // the one MLP, or the expert that every token goes through
  TensorNames router;               // [experts, hidden]
  std::vector<MlpNames> experts;    // of each, or the stacked ones of all
  TensorNames shared_gate;          // [1, hidden]
  TensorNames mlp_post_norm;        // [hidden]
};

// What the checkpoint's files call the decoder's tensors.
struct WeightNames {
  std::string embedding;   // [vocabulary, hidden]
  std::string positions;   // [max_positions, hidden], or empty
  TensorNames final_norm;  // [hidden]
  std::string head;        // [vocabulary, hidden]
  std::vector<LayerWeightNames> layers;
};

// A family's tensors, without prefix and, inside a block, without "LAYERS.N." and ".weight". Empty: there is
// none. Which of them have a bias says the spec.
struct NameTable {
  std::string_view embedding = "embed_tokens";
  std::string_view positions = "";
  std::string_view final_norm = "norm";
  std::string_view head = "lm_head";
  std::string_view layers = "layers";
  std::string_view attention_norm = "input_layernorm";
  std::span<const std::string_view> qkv;
  std::string_view q_norm = "self_attn.q_norm";  // used where the spec has such norms
  std::string_view k_norm = "self_attn.k_norm";
  std::string_view o = "self_attn.o_proj";
  std::string_view sinks = "self_attn.sinks";  // used where the spec has them
  std::string_view attention_post_norm = "";
  std::string_view mlp_norm = "post_attention_layernorm";
  std::span<const std::string_view> gate_up = {};
  std::string_view down = "mlp.down_proj";
  // Of layers with experts, whose maps stand under "EXPERTS.N.", stacked ones under "EXPERTS.".
  std::string_view router = "mlp.gate";
  std::string_view experts = "mlp.experts";
  std::span<const std::string_view> expert_gate_up = {};
  std::string_view expert_down = "down_proj";
  std::span<const std::string_view> shared_gate_up = {};
  std::string_view shared_down = "mlp.shared_expert.down_proj";
  std::string_view shared_gate = "mlp.shared_expert_gate";
  std::string_view mlp_post_norm = "";
};

// Where in the files the decoder lies: before all its tensors' names, and before the head's.
struct WeightPrefix {
  std::string_view decoder;
  std::string_view head;
};

WeightNames weight_names(const NameTable& table, const DecoderSpec& spec, const WeightPrefix& prefix);

// A key that hrt does not implement, and the value (JSON text) with which it asks for nothing.
struct UnsupportedKey {
  std::string_view key;
  std::string_view neutral;
};

// How a family writes its rotary embedding in config.json, and what absence means.
struct RopeRules {
  double theta = 10000.0;
  std::string_view theta_key = "rope_theta";
  // Of a head's dimensions, the share that is rotated. No key: all are, and another share is refused.
  double partial = 1.0;
  std::string_view partial_key = "";
  // Layers with a window have a rotation of their own, unscaled; its theta.
  std::optional<double> local_theta = {};
  std::string_view local_theta_key = "";
  // longrope under its older names too, switching at original_max_position_embeddings at the top level.
  bool phi3 = false;
};

// How one model_type's checkpoints are understood. Keys that mean the same everywhere are not repeated here.
struct Family {
  std::string_view model_type;
  std::string_view title;
  // Absent keys have the defaults of transformers' config classes. Throws InputError on a missing key, a
  // value out of bounds, an unknown activation or RoPE kind.
  DecoderSpec (*spec)(const JsonObject& config);
  NameTable names;
  std::span<const WeightPrefix> prefixes;  // the first one that the files have counts
  RopeRules rope;
  std::span<const std::string_view> read;      // keys of config.json that `spec` reads
  std::span<const std::string_view> harmless;  // keys that change nothing that hrt computes
  std::span<const UnsupportedKey> unsupported;
  std::string_view quantisation = "";         // the one quant_method whose weights are read
  std::span<const std::string_view> buffers;  // ends of tensor names that are no weights: caches, masks
};

// Every family that hrt knows, in alphabetical order.
std::span<const Family> families();

// The part of config.json that describes the decoder: `text_config` of a multimodal checkpoint, else all.
JsonObject decoder_config(const JsonObject& config);

// The family of the decoder's model_type; throws InputError listing the known ones.
const Family& family_of(const JsonObject& config);

// Refuses unsupported keys whose value is not neutral, and quantised weights. Returns the keys in no list;
// those of the RoPE object as "rope_scaling/NAME", those of a multimodal checkpoint's decoder as
// "text_config/NAME". `config` is all of config.json.
std::vector<std::string> check_keys(const Family& family, const JsonObject& config);

}  // namespace hrt
