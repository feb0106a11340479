#include "spec_axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "hrt/base/strings.h"

namespace hrt {
namespace {

class Axes {
 public:
  void add(bool differs, const char* name, Json value, std::string text) {
    if (differs) axes_.push_back({name, std::move(value), std::move(text)});
  }
  void add_factor(const char* name, double factor, const char* what) {
    add(factor != 1.0, name, factor, fmt::format("{} times {:.6g}", what, factor));
  }
  void add_cap(const char* name, double cap, const char* what) {
    add(cap > 0, name, cap, fmt::format("{} capped softly at {:.6g}", what, cap));
  }
  std::vector<SpecAxis> take() { return std::move(axes_); }

 private:
  std::vector<SpecAxis> axes_;
};

void add_norms(const DecoderSpec& spec, Axes& axes) {
  axes.add(spec.norm == NormKind::kLayer, "norm", "layer",
           fmt::format("layer norm{}", spec.norm_bias ? " with biases" : ""));
  const bool both = spec.pre_norms && spec.post_norms;
  axes.add(spec.post_norms, "norm_places", both ? "before and after" : "after",
           fmt::format("norms {} attention and MLP", both ? "before and after" : "only after"));
  const bool by_head = spec.qk_norm == QkNorm::kHead;
  axes.add(
      spec.qk_norm != QkNorm::kNone, "qk_norm", by_head ? "head" : "projection",
      fmt::format("norms of queries and keys, {}", by_head ? "each head by itself" : "all heads together"));
}

void add_block(const DecoderSpec& spec, Axes& axes) {
  axes.add(spec.parallel, "parallel", spec.shared_norm ? "through one norm" : "through a norm each",
           fmt::format("attention and MLP side by side, through {}",
                       spec.shared_norm ? "one norm" : "a norm each"));
  axes.add(!spec.gated, "gated", false, "MLP without a gate");
}

void add_multipliers(const DecoderSpec& spec, Axes& axes) {
  const double query_scale = spec.query_scale.value_or(0);
  const bool usual = std::abs(query_scale * std::sqrt(static_cast<double>(spec.head_dim)) - 1) < 1e-9;
  axes.add(spec.query_scale && !usual, "query_scale", query_scale,
           fmt::format("scores times {:.6g}", query_scale));
  axes.add_factor("embedding_scale", spec.embedding_scale, "embedding");
  axes.add_factor("residual_scale", spec.residual_scale, "what attention and MLP add");
  axes.add_factor("logit_scale", spec.logit_scale, "logits");
  axes.add_cap("attention_softcap", spec.attention_softcap, "scores");
  axes.add_cap("logit_softcap", spec.logit_softcap, "logits");
}

void add_rotation(const DecoderSpec& spec, Axes& axes) {
  axes.add(spec.learned_positions, "learned_positions", true, "learned positions, no rotation");
  if (spec.learned_positions) return;
  axes.add(spec.rotary_dim < spec.head_dim, "rotary_dim", spec.rotary_dim,
           fmt::format("{} of the {} dimensions of a head rotate", spec.rotary_dim, spec.head_dim));
  axes.add(spec.rotates_neighbours, "rotates_neighbours", true, "neighbouring dimensions rotate together");
  const auto layers = [&](Rotation rotation) { return std::ranges::count(spec.rotation, rotation); };
  axes.add(layers(Rotation::kNone) > 0, "layers_without_rotation", layers(Rotation::kNone),
           fmt::format("no rotation in {} of {} layers", layers(Rotation::kNone), spec.layers));
  const double theta = spec.local_rope ? spec.local_rope->theta : 0;
  axes.add(
      layers(Rotation::kLocal) > 0, "local_rope", {{"layers", layers(Rotation::kLocal)}, {"theta", theta}},
      fmt::format("RoPE theta {:.12g} in {} of {} layers", theta, layers(Rotation::kLocal), spec.layers));
}

void add_files(const DecoderSpec& spec, const WeightNames& names, Axes& axes) {
  const LayerWeightNames& layer = names.layers.front();
  axes.add(layer.qkv.size() == 1, "fused_qkv", spec.qkv_by_head ? "by head" : "in turn",
           fmt::format("stored: q, k and v in one tensor{}", spec.qkv_by_head ? ", head by head" : ""));
  axes.add(spec.gated && layer.mlp.gate_up.size() == 1, "fused_gate_up", true,
           "stored: gate and up in one tensor");
  axes.add(spec.norm_plus_one, "norm_plus_one", true, "stored: norm weights minus 1");
  axes.add(spec.linear_in_out, "linear_in_out", true, "stored: maps [in, out]");
}

}  // namespace

std::vector<SpecAxis> axes_unlike_llama(const DecoderSpec& spec, const WeightNames& names) {
  Axes axes;
  add_norms(spec, axes);
  add_block(spec, axes);
  add_multipliers(spec, axes);
  add_rotation(spec, axes);
  add_files(spec, names, axes);
  return axes.take();
}

}  // namespace hrt
