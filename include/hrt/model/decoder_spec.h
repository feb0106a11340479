#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hrt {

enum class Activation { kSilu, kGelu, kGeluTanh, kRelu };

// Rotary position embedding. Formulas: transformers' modeling_rope_utils.
struct RopeSpec {
  enum class Kind { kDefault, kLinear, kDynamic, kYarn, kLlama3, kLongRope };
  Kind kind = Kind::kDefault;
  double theta = 10000.0;
  double factor = 1.0;
  std::int64_t original_max_positions = 0;
  std::optional<double> attention_factor;  // yarn, longrope
  // yarn
  double beta_fast = 32.0;
  double beta_slow = 1.0;
  std::optional<double> mscale;
  std::optional<double> mscale_all_dim;
  bool truncate = true;
  // llama3
  double low_freq_factor = 1.0;
  double high_freq_factor = 4.0;
  // longrope: of each pair, for sequences of up to original_max_positions tokens, and for longer ones
  std::vector<double> short_factors;
  std::vector<double> long_factors;
};

enum class NormKind {
  kRms,    // x / rms(x) * weight
  kLayer,  // (x - mean) / deviation * weight + bias
};

// Norms of queries and keys, before they are rotated.
enum class QkNorm {
  kNone,
  kHead,        // each head by itself, all with the same weight
  kProjection,  // all heads together
};

// Which rotation a layer's queries and keys get.
enum class Rotation { kNone, kGlobal, kLocal };

// MLPs of experts: a router scores all of them for each token, and the sum of the best ones' outputs, weighed
// by the softmax over all scores, takes the MLP's place.
struct ExpertsSpec {
  // How the files hold the experts' maps.
  enum class Files {
    kSeparate,  // each expert by itself
    kStacked,   // [experts, in, out] of all together, columns of gate and up taking turns
    kMxfp4,     // the same as [experts, out, in] in MXFP4
  };
  Files files = Files::kSeparate;
  std::int64_t count = 0;
  std::int64_t per_token = 0;
  std::int64_t intermediate = 0;         // of each expert
  std::int64_t shared_intermediate = 0;  // of one for every token, times the sigmoid of its own gate; 0: none
  bool router_bias = false;
  bool normalised = true;    // a token's weights are divided by their sum
  std::vector<bool> layers;  // per layer: experts, else one MLP
};

// (up + 1) * gate * sigmoid(alpha * gate), where gate is at most `limit`, and up from -limit to limit.
// Source: transformers' modeling_gpt_oss.
struct ClampedSwiglu {
  double alpha = 1.702;
  double limit = 7.0;
};

// Everything that the one decoder needs to know about a family's arithmetic, as plain data. The defaults are
// Llama's.
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
  // A block has a norm before attention and MLP (pre_norms), after each (post_norms), or both.
  NormKind norm = NormKind::kRms;
  double norm_eps = 1e-6;
  bool norm_bias = false;
  bool norm_plus_one = false;  // the file holds weight - 1
  bool pre_norms = true;
  bool post_norms = false;
  QkNorm qk_norm = QkNorm::kNone;
  // The MLP reads what the attention reads, not what it adds; with shared_norm also through the same norm.
  bool parallel = false;
  bool shared_norm = false;
  bool gated = true;  // down(activation(gate x) * up x), else down(activation(up x))
  Activation activation = Activation::kSilu;
  std::optional<ClampedSwiglu> clamped_swiglu;  // instead of activation(gate) * up
  bool qkv_bias = false;
  bool output_bias = false;  // the attention's output projection
  bool mlp_bias = false;
  bool tied_head = false;
  // Row 0 is the token's embedding times embedding_scale; attention and MLP add what they computed times
  // residual_scale; logits are multiplied by logit_scale.
  double embedding_scale = 1.0;
  double residual_scale = 1.0;
  double logit_scale = 1.0;
  std::optional<double> query_scale;  // absent: 1 / sqrt(head_dim)
  // x becomes cap * tanh(x / cap); 0: it stays as it is.
  double attention_softcap = 0.0;
  // Each head has one more score, learned, of a key whose value is zero.
  bool attention_sinks = false;
  double logit_softcap = 0.0;
  RopeSpec rope;
  std::optional<RopeSpec> local_rope;  // of layers with Rotation::kLocal
  std::int64_t rotary_dim = 0;         // of each head, its first
  // Pairs (2i, 2i + 1) are rotated, else (i, i + rotary_dim / 2). Loading brings the first into the order of
  // the second.
  bool rotates_neighbours = false;
  std::vector<Rotation> rotation;  // per layer
  bool learned_positions = false;  // a vector for each position is added to the embedding
  bool linear_in_out = false;      // the file holds linear maps [in, out]
  bool qkv_by_head = false;  // a fused q, k, v lies in the file head by head, q, k and v of each in turn
  // Per layer: a query at q sees keys k with q - k < window; 0 means all.
  std::vector<std::int64_t> window;
  std::optional<ExpertsSpec> experts;

  bool sparse(std::int64_t layer) const {
    return experts && experts->layers[static_cast<std::size_t>(layer)];
  }
};

// Whether a sequence of `length` tokens is rotated unlike shorter ones: nothing of it can be shared then.
bool rotates_by_length(const DecoderSpec& spec, std::int64_t length);

}  // namespace hrt
