#include <fmt/format.h>

#include "hrt/model/families.h"

namespace hrt {
namespace {

// The tensors that `name` stands for, "PREFIXname.weight" and so on.
TensorNames tensors(const std::string& prefix, std::string_view name, bool bias) {
  if (name.empty()) return {};
  return {fmt::format("{}{}.weight", prefix, name),
          bias ? fmt::format("{}{}.bias", prefix, name) : std::string()};
}

std::vector<TensorNames> each(const std::string& prefix, std::span<const std::string_view> names, bool bias) {
  std::vector<TensorNames> all;
  for (const std::string_view name : names) all.push_back(tensors(prefix, name, bias));
  return all;
}

LayerWeightNames layer_names(const NameTable& table, const DecoderSpec& spec, const std::string& prefix) {
  const auto norm = [&](std::string_view name) { return tensors(prefix, name, spec.norm_bias); };
  const bool qk_norm = spec.qk_norm != QkNorm::kNone;
  return {.attention_norm = norm(table.attention_norm),
          .qkv = each(prefix, table.qkv, spec.qkv_bias),
          .q_norm = qk_norm ? tensors(prefix, table.q_norm, false).weight : std::string(),
          .k_norm = qk_norm ? tensors(prefix, table.k_norm, false).weight : std::string(),
          .o = tensors(prefix, table.o, spec.output_bias),
          .attention_post_norm = norm(table.attention_post_norm),
          .mlp_norm = norm(table.mlp_norm),
          .gate_up = each(prefix, table.gate_up, spec.mlp_bias),
          .down = tensors(prefix, table.down, spec.mlp_bias),
          .mlp_post_norm = norm(table.mlp_post_norm)};
}

}  // namespace

WeightNames weight_names(const NameTable& table, const DecoderSpec& spec, const WeightPrefix& prefix) {
  const std::string decoder(prefix.decoder);
  WeightNames names{.embedding = tensors(decoder, table.embedding, false).weight,
                    .positions = tensors(decoder, table.positions, false).weight,
                    .final_norm = tensors(decoder, table.final_norm, spec.norm_bias),
                    .head = tensors(std::string(prefix.head), table.head, false).weight,
                    .layers = {}};
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    names.layers.push_back(layer_names(table, spec, fmt::format("{}{}.{}.", decoder, table.layers, layer)));
  }
  return names;
}

}  // namespace hrt
