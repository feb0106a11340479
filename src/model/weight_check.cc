#include "weight_check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

constexpr at::ScalarType kFloating[] = {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

class Expected {
 public:
  void add(const std::string& name, std::vector<std::int64_t> shape) {
    tensors_.push_back({name, std::move(shape)});
  }
  void add(const LinearNames& names, std::int64_t out, std::int64_t in) {
    add(names.weight, {out, in});
    if (!names.bias.empty()) add(names.bias, {out});
  }
  std::vector<ExpectedTensor> take() { return std::move(tensors_); }

 private:
  std::vector<ExpectedTensor> tensors_;
};

void add_layer(const DecoderSpec& spec, const LayerWeightNames& layer, Expected& expected) {
  const std::int64_t q_width = spec.heads * spec.head_dim;
  const std::int64_t kv_width = spec.kv_heads * spec.head_dim;
  expected.add(layer.attention_norm, {spec.hidden});
  expected.add(layer.q, q_width, spec.hidden);
  expected.add(layer.k, kv_width, spec.hidden);
  expected.add(layer.v, kv_width, spec.hidden);
  expected.add(layer.o, spec.hidden, q_width);
  expected.add(layer.mlp_norm, {spec.hidden});
  expected.add(layer.gate, spec.intermediate, spec.hidden);
  expected.add(layer.up, spec.intermediate, spec.hidden);
  expected.add(layer.down, spec.hidden, spec.intermediate);
}

}  // namespace

std::vector<ExpectedTensor> expected_tensors(const DecoderSpec& spec, const WeightNames& names) {
  Expected expected;
  expected.add(names.embedding, {spec.vocabulary, spec.hidden});
  for (const LayerWeightNames& layer : names.layers) add_layer(spec, layer, expected);
  expected.add(names.final_norm, {spec.hidden});
  if (names.head != names.embedding) expected.add(names.head, {spec.vocabulary, spec.hidden});
  return expected.take();
}

void check_weights(const WeightFiles& weights, const std::vector<ExpectedTensor>& expected,
                   const std::filesystem::path& file) {
  for (const ExpectedTensor& tensor : expected) {
    const TensorInfo* info = weights.find(tensor.name);
    if (info == nullptr) {
      throw InputError("{}: tensor {} {} is missing", file.string(), tensor.name, shape_text(tensor.shape));
    }
    const std::string found_in = weights.file_of(tensor.name).string();
    if (info->shape != tensor.shape) {
      throw InputError("{}: tensor {} is {}, but config.json means {}", found_in, tensor.name,
                       shape_text(info->shape), shape_text(tensor.shape));
    }
    if (std::ranges::count(kFloating, info->dtype) == 0) {
      throw InputError("{}: tensor {} is {}, expected F32, BF16, F16 or F64", found_in, tensor.name,
                       safetensors_dtype(info->dtype));
    }
  }
}

std::vector<std::string> extra_tensors(const WeightFiles& weights,
                                       const std::vector<ExpectedTensor>& expected,
                                       std::span<const std::string_view> buffers) {
  std::set<std::string_view> names;
  for (const ExpectedTensor& tensor : expected) names.insert(tensor.name);
  std::vector<std::string> extra;
  for (const TensorInfo& info : weights.tensors()) {
    const auto ends_name = [&](std::string_view buffer) { return info.name.ends_with(buffer); };
    if (!names.contains(info.name) && std::ranges::none_of(buffers, ends_name)) extra.push_back(info.name);
  }
  return extra;
}

}  // namespace hrt
