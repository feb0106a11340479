#include "weights.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "hrt/base/error.h"
#include "hrt/model/device.h"
#include "mxfp4.h"
#include "qkv_order.h"

namespace hrt {

namespace {

// Elements converted and checked at a time.
constexpr std::int64_t kSliceElements = std::int64_t{1} << 20;

// A floating-point number is NaN or infinite when all bits of its exponent are set.
template <typename Bits>
bool any_non_finite(const void* data, std::int64_t count, Bits exponent) {
  const Bits* bits = static_cast<const Bits*>(data);
  Bits found = 0;
  for (std::int64_t i = 0; i < count; ++i) found |= static_cast<Bits>((bits[i] & exponent) == exponent);
  return found != 0;
}

bool any_non_finite(const at::Tensor& slice) {
  switch (slice.scalar_type()) {
    case at::kFloat:
      return any_non_finite<std::uint32_t>(slice.const_data_ptr(), slice.numel(), 0x7f800000U);
    case at::kHalf:
      return any_non_finite<std::uint16_t>(slice.const_data_ptr(), slice.numel(), 0x7c00U);
    default:
      return any_non_finite<std::uint16_t>(slice.const_data_ptr(), slice.numel(), 0x7f80U);
  }
}

// Columns that take turns, `kinds` of them, side by side by kind; [..., columns].
at::Tensor side_by_side(const at::Tensor& x, std::int64_t kinds) {
  return x.unflatten(-1, {-1, kinds}).transpose(-1, -2).flatten(-2);
}

class Loader {
 public:
  Loader(const Checkpoint& checkpoint, at::ScalarType dtype, at::Device device,
         const std::function<void(std::int64_t)>& progress)
      : spec_(checkpoint.spec()),
        files_(checkpoint.weights()),
        adapter_(checkpoint.adapter()),
        dtype_(dtype),
        options_(at::TensorOptions().dtype(dtype).device(device)),
        progress_(progress) {
    const std::vector<std::int64_t> order = qkv_order(spec_);
    if (!order.empty()) qkv_order_ = at::tensor(order).to(device);
  }

  // A vector, or a table whose rows are looked up, as it stands in the file.
  at::Tensor as_stored(const std::string& name) { return as_stored(name, dtype_); }

  // With weights kept in float32 where 1 is to be added: so near 1, half formats are coarse.
  Norm norm(const TensorNames& names) {
    Norm norm{.kind = spec_.norm, .eps = spec_.norm_eps, .weight = {}, .bias = {}};
    if (names.weight.empty()) return norm;
    norm.weight = as_stored(names.weight, spec_.norm_plus_one ? at::kFloat : dtype_);
    if (spec_.norm_plus_one) norm.weight.add_(1);
    if (!names.bias.empty()) norm.bias = as_stored(names.bias);
    return norm;
  }

  // Maps of the same input side by side, [in, out].
  at::Tensor weight(std::span<const TensorNames> maps) {
    std::int64_t width = 0;
    for (const TensorNames& map : maps) width += out_of(map);
    const std::size_t in = spec_.linear_in_out ? 0 : 1;
    at::Tensor target = at::empty({files_.find(maps.front().weight)->shape[in], width}, options_);
    std::int64_t column = 0;
    for (const TensorNames& map : maps) {
      read_map(map.weight, target.narrow(1, column, out_of(map)));
      column += out_of(map);
    }
    return loaded(target);
  }

  // [out, in] in every family, even where linear maps are [in, out].
  at::Tensor head(const std::string& name) {
    const std::vector<std::int64_t>& shape = files_.find(name)->shape;
    at::Tensor target = at::empty({shape[1], shape[0]}, options_);
    read(name, dtype_, [&](std::int64_t row, const at::Tensor& slice) {
      target.narrow(1, row, slice.size(0)).copy_(slice.t().contiguous());
    });
    return loaded(target);
  }

  // Of each expert, [in, out], out of stacked ones whose columns are of `kinds` that take turns.
  std::vector<at::Tensor> stacked(const TensorNames& names, std::int64_t kinds) {
    std::vector<at::Tensor> maps;
    read_stacked(names, [&](const at::Tensor& map) {
      at::Tensor target = at::empty(map.sizes(), options_);
      target.copy_(side_by_side(map, kinds));
      maps.push_back(loaded(target));
    });
    return maps;
  }

  // Theirs, or undefined ones.
  std::vector<at::Tensor> stacked_biases(const std::string& name, std::int64_t kinds) {
    if (name.empty()) return std::vector<at::Tensor>(static_cast<std::size_t>(spec_.experts->count));
    return side_by_side(as_stored(name), kinds).unbind(0);
  }

  at::Tensor bias(std::span<const TensorNames> maps) {
    std::vector<at::Tensor> parts;
    for (const TensorNames& map : maps) {
      if (!map.bias.empty()) parts.push_back(as_stored(map.bias));
    }
    return parts.empty() ? at::Tensor() : at::cat(parts);
  }

  // Columns of the fused q, k and v as the decoder has them.
  at::Tensor ordered(const at::Tensor& qkv) const {
    return qkv.defined() && qkv_order_.defined() ? qkv.index_select(-1, qkv_order_) : qkv;
  }

  std::int64_t bytes() const { return bytes_; }

 private:
  std::int64_t out_of(const TensorNames& map) const {
    return files_.find(map.weight)->shape[spec_.linear_in_out ? 1 : 0];
  }

  at::Tensor as_stored(const std::string& name, at::ScalarType dtype) {
    at::Tensor target = at::empty(files_.find(name)->shape, options_.dtype(dtype));
    read(name, dtype, [&](std::int64_t row, const at::Tensor& slice) {
      target.narrow(0, row, slice.size(0)).copy_(slice);
    });
    return loaded(target);
  }

  // Into `target` [in, out].
  void read_map(const std::string& name, const at::Tensor& target) {
    read(name, dtype_, [&](std::int64_t row, const at::Tensor& slice) {
      if (spec_.linear_in_out) {
        target.narrow(0, row, slice.size(0)).copy_(slice);
      } else {
        target.narrow(1, row, slice.size(0)).copy_(slice.t().contiguous());
      }
    });
  }

  // Calls use(first row, rows) with the tensor, slice by slice: the adapter's share added in float32,
  // converted and checked.
  void read(const std::string& name, at::ScalarType dtype,
            const std::function<void(std::int64_t, const at::Tensor&)>& use) {
    const at::Tensor source = files_.tensor(name);
    const auto update = adapter_ ? adapter_->update(name) : std::nullopt;
    const std::int64_t rows = std::max<std::int64_t>(1, kSliceElements * source.size(0) / source.numel());
    for (std::int64_t row = 0; row < source.size(0); row += rows) {
      at::Tensor stored = source.narrow(0, row, std::min(rows, source.size(0) - row));
      if (update) stored = stored.to(at::kFloat).add(update->rows(row, stored.size(0)));
      const at::Tensor slice = stored.to(at::kCPU, dtype, false, true);
      check_finite(slice, name);
      use(row, slice);
    }
    files_.release(name);
  }

  // Calls use(map [in, out]) for each expert.
  void read_stacked(const TensorNames& names, const std::function<void(const at::Tensor&)>& use) {
    if (names.scales.empty()) {
      read(names.weight, dtype_, [&](std::int64_t, const at::Tensor& slice) {
        for (const at::Tensor& map : slice.unbind(0)) use(map);
      });
      return;
    }
    const at::Tensor blocks = files_.tensor(names.weight);
    const at::Tensor scales = files_.tensor(names.scales);
    for (std::int64_t expert = 0; expert < blocks.size(0); ++expert) {
      const at::Tensor map = dequantise_mxfp4(blocks.select(0, expert), scales.select(0, expert)).to(dtype_);
      check_finite(map, names.scales);
      use(map.t());
    }
    files_.release(names.weight);
    files_.release(names.scales);
  }

  // Values of the tensor `name`, as the decoder will have them.
  void check_finite(const at::Tensor& values, const std::string& name) const {
    if (!any_non_finite(values)) return;
    throw InputError("{}: tensor '{}' holds NaN or infinity (read as {})", files_.file_of(name).string(),
                     name, dtype_name(values.scalar_type()));
  }

  const at::Tensor& loaded(const at::Tensor& tensor) {
    const auto bytes = static_cast<std::int64_t>(tensor.nbytes());
    bytes_ += bytes;
    if (progress_) progress_(bytes);
    return tensor;
  }

  const DecoderSpec& spec_;
  const WeightFiles& files_;
  const std::optional<Adapter>& adapter_;
  at::ScalarType dtype_;
  at::TensorOptions options_;
  const std::function<void(std::int64_t)>& progress_;
  at::Tensor qkv_order_;  // undefined: as it stands
  std::int64_t bytes_ = 0;
};

MlpWeights load_mlp(Loader& loader, const MlpNames& names) {
  return {.gate_up = loader.weight(names.gate_up),
          .gate_up_bias = loader.bias(names.gate_up),
          .down = loader.weight({&names.down, 1}),
          .down_bias = loader.bias({&names.down, 1})};
}

std::vector<MlpWeights> load_stacked(Loader& loader, const MlpNames& names) {
  constexpr std::int64_t kGateAndUp = 2;
  const TensorNames& gate_up_names = names.gate_up.front();
  const std::vector<at::Tensor> gate_up = loader.stacked(gate_up_names, kGateAndUp);
  const std::vector<at::Tensor> gate_up_bias = loader.stacked_biases(gate_up_names.bias, kGateAndUp);
  const std::vector<at::Tensor> down = loader.stacked(names.down, 1);
  const std::vector<at::Tensor> down_bias = loader.stacked_biases(names.down.bias, 1);
  std::vector<MlpWeights> each;
  for (std::size_t i = 0; i < gate_up.size(); ++i) {
    each.push_back(
        {.gate_up = gate_up[i], .gate_up_bias = gate_up_bias[i], .down = down[i], .down_bias = down_bias[i]});
  }
  return each;
}

ExpertWeights load_experts(Loader& loader, const LayerWeightNames& names, bool stacked) {
  ExpertWeights experts;
  experts.router = loader.weight({&names.router, 1});
  experts.router_bias = loader.bias({&names.router, 1});
  if (stacked) {
    experts.each = load_stacked(loader, names.experts.front());
  } else {
    for (const MlpNames& expert : names.experts) experts.each.push_back(load_mlp(loader, expert));
  }
  if (names.shared_gate.weight.empty()) return experts;
  experts.shared = load_mlp(loader, names.mlp);
  experts.shared_gate = loader.weight({&names.shared_gate, 1});
  return experts;
}

BlockWeights load_block(Loader& loader, const LayerWeightNames& names, const DecoderSpec& spec) {
  const bool shared_norm = names.mlp_norm.weight == names.attention_norm.weight;
  BlockWeights block;
  block.attention_norm = loader.norm(names.attention_norm);
  block.qkv = loader.ordered(loader.weight(names.qkv));
  block.qkv_bias = loader.ordered(loader.bias(names.qkv));
  if (!names.sinks.empty()) block.sinks = loader.as_stored(names.sinks);
  block.q_norm = loader.norm({.weight = names.q_norm, .bias = ""});
  block.k_norm = loader.norm({.weight = names.k_norm, .bias = ""});
  block.o = loader.weight({&names.o, 1});
  block.o_bias = loader.bias({&names.o, 1});
  block.attention_post_norm = loader.norm(names.attention_post_norm);
  block.mlp_norm = shared_norm ? block.attention_norm : loader.norm(names.mlp_norm);
  if (names.experts.empty()) {
    block.mlp = load_mlp(loader, names.mlp);
  } else {
    block.experts = load_experts(loader, names, spec.experts->files != ExpertsSpec::Files::kSeparate);
  }
  block.mlp_post_norm = loader.norm(names.mlp_post_norm);
  return block;
}

}  // namespace

DecoderWeights load_weights(const Checkpoint& checkpoint, at::ScalarType dtype, at::Device device,
                            const std::function<void(std::int64_t)>& progress) {
  const WeightNames& names = checkpoint.names();
  Loader loader(checkpoint, dtype, device, progress);
  DecoderWeights weights;
  weights.embedding = loader.as_stored(names.embedding);
  if (!names.positions.empty()) weights.positions = loader.as_stored(names.positions);
  for (const LayerWeightNames& layer : names.layers) {
    weights.blocks.push_back(load_block(loader, layer, checkpoint.spec()));
  }
  weights.final_norm = loader.norm(names.final_norm);
  const bool tied = names.head == names.embedding;
  weights.head = tied ? weights.embedding.t() : loader.head(names.head);
  weights.bytes = loader.bytes();
  checkpoint.weights().check_unchanged();
  if (checkpoint.adapter()) checkpoint.adapter()->check_unchanged();
  return weights;
}

}  // namespace hrt
