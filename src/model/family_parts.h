#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "hrt/model/families.h"

namespace hrt {

// What several families have in common: keys of config.json, names of tensors.

template <std::size_t A, std::size_t B>
constexpr std::array<std::string_view, A + B> concatenate(const std::array<std::string_view, A>& a,
                                                          const std::string_view (&b)[B]) {
  std::array<std::string_view, A + B> both;
  std::ranges::copy(b, std::ranges::copy(a, both.begin()).out);
  return both;
}

// The keys that common_spec() reads in every family: sizes and rotation.
inline constexpr std::array<std::string_view, 13> kCommonKeys{
    "hidden_size",
    "intermediate_size",
    "max_position_embeddings",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "head_dim",
    "original_max_position_embeddings",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "tie_word_embeddings",
    "vocab_size",
};
inline constexpr auto kLlamaLikeKeys = concatenate(kCommonKeys, {"hidden_act", "rms_norm_eps"});

inline constexpr std::string_view kQkvNames[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"};
inline constexpr std::string_view kGateUpNames[] = {"mlp.gate_proj", "mlp.up_proj"};
inline constexpr NameTable kLlamaNames{.qkv = kQkvNames, .gate_up = kGateUpNames};

inline constexpr WeightPrefix kModelPrefix[] = {{"model.", ""}};

// Tables of rotary angles that older versions of transformers saved with the weights.
inline constexpr std::string_view kRopeBuffers[] = {".rotary_emb.inv_freq"};

}  // namespace hrt
