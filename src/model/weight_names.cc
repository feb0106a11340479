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

MlpNames mlp_names(const std::string& prefix, std::span<const std::string_view> gate_up,
                   std::string_view down, bool bias) {
  return {.gate_up = each(prefix, gate_up, bias), .down = tensors(prefix, down, bias)};
}

// "gate_up_proj", or "gate_up_proj_blocks" and "gate_up_proj_scales", and "gate_up_proj_bias".
TensorNames stacked(const std::string& prefix, std::string_view name, const DecoderSpec& spec) {
  const std::string base = prefix + std::string(name);
  const bool packed = spec.experts->files == ExpertsSpec::Files::kMxfp4;
  return {.weight = packed ? base + "_blocks" : base,
          .bias = spec.mlp_bias ? base + "_bias" : std::string(),
          .scales = packed ? base + "_scales" : std::string()};
}

std::vector<MlpNames> expert_names(const NameTable& table, const DecoderSpec& spec,
                                   const std::string& prefix) {
  const std::string experts = fmt::format("{}{}.", prefix, table.experts);
  if (spec.experts->files != ExpertsSpec::Files::kSeparate) {
    return {{.gate_up = {stacked(experts, table.expert_gate_up.front(), spec)},
             .down = stacked(experts, table.expert_down, spec)}};
  }
  std::vector<MlpNames> each;
  for (std::int64_t expert = 0; expert < spec.experts->count; ++expert) {
    each.push_back(mlp_names(fmt::format("{}{}.", experts, expert), table.expert_gate_up, table.expert_down,
                             spec.mlp_bias));
  }
  return each;
}

void add_experts(const NameTable& table, const DecoderSpec& spec, const std::string& prefix,
                 LayerWeightNames& names) {
  names.router = tensors(prefix, table.router, spec.experts->router_bias);
  names.experts = expert_names(table, spec, prefix);
  if (spec.experts->shared_intermediate == 0) return;
  names.mlp = mlp_names(prefix, table.shared_gate_up, table.shared_down, spec.mlp_bias);
  names.shared_gate = tensors(prefix, table.shared_gate, false);
}

LayerWeightNames layer_names(const NameTable& table, const DecoderSpec& spec, const std::string& decoder,
                             std::int64_t layer) {
  const std::string prefix = fmt::format("{}{}.{}.", decoder, table.layers, layer);
  const auto norm = [&](std::string_view name) { return tensors(prefix, name, spec.norm_bias); };
  const bool qk_norm = spec.qk_norm != QkNorm::kNone;
  LayerWeightNames names{.attention_norm = norm(table.attention_norm),
                         .qkv = each(prefix, table.qkv, spec.qkv_bias),
                         .sinks = spec.attention_sinks ? prefix + std::string(table.sinks) : std::string(),
                         .q_norm = qk_norm ? tensors(prefix, table.q_norm, false).weight : std::string(),
                         .k_norm = qk_norm ? tensors(prefix, table.k_norm, false).weight : std::string(),
                         .o = tensors(prefix, table.o, spec.output_bias),
                         .attention_post_norm = norm(table.attention_post_norm),
                         .mlp_norm = norm(table.mlp_norm),
                         .mlp = {},
                         .router = {},
                         .experts = {},
                         .shared_gate = {},
                         .mlp_post_norm = norm(table.mlp_post_norm)};
  if (spec.sparse(layer)) {
    add_experts(table, spec, prefix, names);
  } else {
    names.mlp = mlp_names(prefix, table.gate_up, table.down, spec.mlp_bias);
  }
  return names;
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
    names.layers.push_back(layer_names(table, spec, decoder, layer));
  }
  return names;
}

}  // namespace hrt
