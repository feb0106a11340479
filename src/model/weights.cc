#include "weights.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "hrt/base/error.h"

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

class Loader {
 public:
  Loader(const Checkpoint& checkpoint, at::ScalarType dtype, at::Device device,
         const std::function<void(std::int64_t)>& progress)
      : files_(checkpoint.weights()),
        dtype_(dtype),
        options_(at::TensorOptions().dtype(dtype).device(device)),
        progress_(progress) {}

  // A vector, or a table whose rows are looked up, as it stands in the file.
  at::Tensor as_stored(const std::string& name) {
    at::Tensor target = at::empty(files_.find(name)->shape, options_);
    read(name, [&](std::int64_t row, const at::Tensor& slice) {
      target.narrow(0, row, slice.size(0)).copy_(slice);
    });
    return loaded(target);
  }

  // Maps of the same input side by side, [in, out].
  at::Tensor weight(std::initializer_list<const LinearNames*> maps) {
    std::int64_t width = 0;
    for (const LinearNames* map : maps) width += files_.find(map->weight)->shape[0];
    at::Tensor target = at::empty({files_.find((*maps.begin())->weight)->shape[1], width}, options_);
    std::int64_t column = 0;
    for (const LinearNames* map : maps) {
      read(map->weight, [&](std::int64_t row, const at::Tensor& slice) {
        target.narrow(1, column + row, slice.size(0)).copy_(slice.t().contiguous());
      });
      column += files_.find(map->weight)->shape[0];
    }
    return loaded(target);
  }

  at::Tensor bias(std::initializer_list<const LinearNames*> maps) {
    std::vector<at::Tensor> parts;
    for (const LinearNames* map : maps) {
      if (!map->bias.empty()) parts.push_back(as_stored(map->bias));
    }
    return parts.empty() ? at::Tensor() : at::cat(parts);
  }

  std::int64_t bytes() const { return bytes_; }

 private:
  // Calls use(first row, rows) with the tensor, converted and checked, slice by slice.
  void read(const std::string& name, const std::function<void(std::int64_t, const at::Tensor&)>& use) {
    const at::Tensor source = files_.tensor(name);
    const std::int64_t rows = std::max<std::int64_t>(1, kSliceElements * source.size(0) / source.numel());
    for (std::int64_t row = 0; row < source.size(0); row += rows) {
      const at::Tensor slice =
          source.narrow(0, row, std::min(rows, source.size(0) - row)).to(at::kCPU, dtype_, false, true);
      if (any_non_finite(slice)) {
        throw InputError("{}: tensor '{}' holds NaN or infinity (read as {})", files_.file_of(name).string(),
                         name, c10::toString(slice.scalar_type()));
      }
      use(row, slice);
    }
    files_.release(name);
  }

  const at::Tensor& loaded(const at::Tensor& tensor) {
    const auto bytes = static_cast<std::int64_t>(tensor.nbytes());
    bytes_ += bytes;
    if (progress_) progress_(bytes);
    return tensor;
  }

  const WeightFiles& files_;
  at::ScalarType dtype_;
  at::TensorOptions options_;
  const std::function<void(std::int64_t)>& progress_;
  std::int64_t bytes_ = 0;
};

BlockWeights load_block(Loader& loader, const LayerWeightNames& names) {
  return {.attention_norm = loader.as_stored(names.attention_norm),
          .qkv = loader.weight({&names.q, &names.k, &names.v}),
          .qkv_bias = loader.bias({&names.q, &names.k, &names.v}),
          .o = loader.weight({&names.o}),
          .o_bias = loader.bias({&names.o}),
          .mlp_norm = loader.as_stored(names.mlp_norm),
          .gate_up = loader.weight({&names.gate, &names.up}),
          .gate_up_bias = loader.bias({&names.gate, &names.up}),
          .down = loader.weight({&names.down}),
          .down_bias = loader.bias({&names.down})};
}

}  // namespace

DecoderWeights load_weights(const Checkpoint& checkpoint, at::ScalarType dtype, at::Device device,
                            const std::function<void(std::int64_t)>& progress) {
  const WeightNames& names = checkpoint.names();
  Loader loader(checkpoint, dtype, device, progress);
  DecoderWeights weights;
  weights.embedding = loader.as_stored(names.embedding);
  for (const LayerWeightNames& layer : names.layers) weights.blocks.push_back(load_block(loader, layer));
  weights.final_norm = loader.as_stored(names.final_norm);
  const bool tied = names.head == names.embedding;
  const LinearNames head{.weight = names.head, .bias = ""};
  weights.head = tied ? weights.embedding.t() : loader.weight({&head});
  weights.bytes = loader.bytes();
  return weights;
}

}  // namespace hrt
