#include "weights.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <span>

#include "hrt/base/error.h"

namespace hrt {

namespace {

// Elements converted and checked at a time.
constexpr std::int64_t kSlice = std::int64_t{1} << 20;

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
        options_(at::TensorOptions().dtype(dtype).device(device)),
        progress_(progress) {}

  // The named tensors, one below the other.
  at::Tensor stack(std::span<const std::string* const> names) {
    std::vector<std::int64_t> shape = files_.find(*names.front())->shape;
    shape[0] = 0;
    for (const std::string* name : names) shape[0] += files_.find(*name)->shape[0];
    at::Tensor target = at::empty(shape, options_);
    std::int64_t row = 0;
    for (const std::string* name : names) {
      const std::int64_t rows = files_.find(*name)->shape[0];
      copy(*name, target.narrow(0, row, rows));
      row += rows;
    }
    bytes_ += static_cast<std::int64_t>(target.nbytes());
    if (progress_) progress_(static_cast<std::int64_t>(target.nbytes()));
    return target;
  }

  at::Tensor one(const std::string& name) {
    const std::string* const names[] = {&name};
    return stack(names);
  }

  at::Tensor weight(std::initializer_list<const LinearNames*> maps) {
    std::vector<const std::string*> names;
    for (const LinearNames* map : maps) names.push_back(&map->weight);
    return stack(names);
  }

  at::Tensor bias(std::initializer_list<const LinearNames*> maps) {
    std::vector<const std::string*> names;
    for (const LinearNames* map : maps) names.push_back(&map->bias);
    return names.front()->empty() ? at::Tensor() : stack(names);
  }

  std::int64_t bytes() const { return bytes_; }

 private:
  void copy(const std::string& name, const at::Tensor& target) {
    const at::Tensor source = files_.tensor(name).reshape(-1);
    const at::Tensor flat = target.view(-1);
    const bool staged = !target.is_cpu();
    for (std::int64_t begin = 0; begin < source.numel(); begin += kSlice) {
      const std::int64_t count = std::min(kSlice, source.numel() - begin);
      const at::Tensor place = flat.narrow(0, begin, count);
      const at::Tensor slice = staged ? at::empty({count}, options_.device(at::kCPU)) : place;
      slice.copy_(source.narrow(0, begin, count));
      if (any_non_finite(slice)) {
        throw InputError("{}: tensor '{}' holds NaN or infinity (read as {})", files_.file_of(name).string(),
                         name, c10::toString(slice.scalar_type()));
      }
      if (staged) place.copy_(slice);
    }
    files_.release(name);
  }

  const WeightFiles& files_;
  at::TensorOptions options_;
  const std::function<void(std::int64_t)>& progress_;
  std::int64_t bytes_ = 0;
};

BlockWeights load_block(Loader& loader, const LayerWeightNames& names) {
  return {.attention_norm = loader.one(names.attention_norm),
          .qkv = loader.weight({&names.q, &names.k, &names.v}),
          .qkv_bias = loader.bias({&names.q, &names.k, &names.v}),
          .o = loader.weight({&names.o}),
          .o_bias = loader.bias({&names.o}),
          .mlp_norm = loader.one(names.mlp_norm),
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
  weights.embedding = loader.one(names.embedding);
  for (const LayerWeightNames& layer : names.layers) weights.blocks.push_back(load_block(loader, layer));
  weights.final_norm = loader.one(names.final_norm);
  weights.head = names.head == names.embedding ? weights.embedding : loader.one(names.head);
  weights.bytes = loader.bytes();
  return weights;
}

}  // namespace hrt
