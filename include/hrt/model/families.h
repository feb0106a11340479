#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/model/decoder_spec.h"

namespace hrt {

// The tensors of one linear map, weight [out, in] and bias [out]. `bias` is empty where the family has none.
struct LinearNames {
  std::string weight;
  std::string bias;
};

struct LayerWeightNames {
  std::string attention_norm;  // [hidden]
  LinearNames q;               // [heads * head_dim, hidden]
  LinearNames k, v;            // [kv_heads * head_dim, hidden]
  LinearNames o;               // [hidden, heads * head_dim]
  std::string mlp_norm;        // [hidden]
  LinearNames gate, up;        // [intermediate, hidden]
  LinearNames down;            // [hidden, intermediate]
};

// What the checkpoint's files call the decoder's tensors.
struct WeightNames {
  std::string embedding;   // [vocabulary, hidden]
  std::string final_norm;  // [hidden]
  std::string head;        // [vocabulary, hidden]
  std::vector<LayerWeightNames> layers;
};

// A key that hrt does not implement, and the value (JSON text) with which it asks for nothing.
struct UnsupportedKey {
  std::string_view key;
  std::string_view neutral;
};

// How one model_type's checkpoints are understood. Keys that mean the same everywhere are not repeated here.
struct Family {
  std::string_view model_type;
  std::string_view title;
  // Absent keys have the defaults of transformers' config classes. Throws InputError on a missing key, a
  // value out of bounds, an unknown activation or RoPE kind.
  DecoderSpec (*spec)(const JsonObject& config);
  WeightNames (*names)(const DecoderSpec& spec);
  std::span<const std::string_view> read;      // keys of config.json that `spec` reads
  std::span<const std::string_view> harmless;  // keys that change nothing that hrt computes
  std::span<const UnsupportedKey> unsupported;
  std::span<const std::string_view> buffers;  // ends of tensor names that are no weights: caches, masks
};

// Every family that hrt knows, in alphabetical order.
std::span<const Family> families();

// The family of `config`'s model_type; throws InputError listing the known ones.
const Family& family_of(const JsonObject& config);

// Refuses unsupported keys whose value is not neutral, and quantised weights. Returns the keys in no list;
// those of the RoPE object as "rope_scaling/NAME".
std::vector<std::string> check_keys(const Family& family, const JsonObject& config);

}  // namespace hrt
