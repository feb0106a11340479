#include "weight_check.h"

#include <c10/util/accumulate.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/tensor/safetensors.h"
#include "mxfp4.h"

namespace hrt {
namespace {

constexpr at::ScalarType kFloating[] = {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

// How tensors end that quantised checkpoints have beside a weight, or in its place.
constexpr std::string_view kQuantised[] = {
    ".qweight", ".qzeros", ".SCB", ".weight.absmax", ".weight_packed", ".weight_scale", ".weight_scale_inv"};

// "; X beside it ...", of a weight that is not as expected; or nothing.
std::string quantised_hint(const WeightFiles& weights, const std::string& name) {
  constexpr std::string_view kWeight = ".weight";
  if (!name.ends_with(kWeight)) return {};
  const std::string module = name.substr(0, name.size() - kWeight.size());
  for (const std::string_view ending : kQuantised) {
    const std::string beside = module + std::string(ending);
    if (weights.find(beside) != nullptr)
      return fmt::format("; {} is there, so these weights look quantised, which hrt does not read", beside);
  }
  return {};
}

class Expected {
 public:
  explicit Expected(const DecoderSpec& spec) : spec_(spec) {}

  void add(const std::string& name, std::vector<std::int64_t> shape) {
    if (!name.empty()) tensors_.push_back({.name = name, .shape = std::move(shape)});
  }
  void add_norm(const TensorNames& names) {
    add(names.weight, {spec_.hidden});
    add(names.bias, {spec_.hidden});
  }
  void add_linear(const TensorNames& names, std::int64_t out, std::int64_t in) {
    if (spec_.linear_in_out) {
      add(names.weight, {in, out});
    } else {
      add(names.weight, {out, in});
    }
    add(names.bias, {out});
  }
  // Maps of the same input, of `widths` rows each; or one tensor of all of them.
  void add_joined(const std::vector<TensorNames>& maps, std::vector<std::int64_t> widths) {
    if (maps.size() == 1) widths = {std::accumulate(widths.begin(), widths.end(), std::int64_t{0})};
    for (std::size_t i = 0; i < maps.size(); ++i) add_linear(maps[i], widths[i], spec_.hidden);
  }
  void add_mlp(const MlpNames& names, std::int64_t intermediate) {
    add_joined(names.gate_up, std::vector(spec_.gated ? 2 : 1, intermediate));
    add_linear(names.down, spec_.hidden, intermediate);
  }
  // Of all experts together.
  void add_stacked(const TensorNames& names, std::int64_t out, std::int64_t in) {
    const std::int64_t count = spec_.experts->count;
    if (names.scales.empty()) {
      add(names.weight, {count, in, out});
    } else {
      const std::int64_t groups = in / kMxfp4Group;
      tensors_.push_back({.name = names.weight,
                          .shape = {count, out, groups, kMxfp4Group / 2},
                          .kind = ExpectedTensor::Kind::kMxfp4Blocks});
      tensors_.push_back(
          {.name = names.scales, .shape = {count, out, groups}, .kind = ExpectedTensor::Kind::kMxfp4Scales});
    }
    add(names.bias, {count, out});
  }
  std::vector<ExpectedTensor> take() { return std::move(tensors_); }

 private:
  const DecoderSpec& spec_;
  std::vector<ExpectedTensor> tensors_;
};

void add_experts(const DecoderSpec& spec, const LayerWeightNames& layer, Expected& expected) {
  const ExpertsSpec& experts = *spec.experts;
  expected.add_linear(layer.router, experts.count, spec.hidden);
  if (experts.files == ExpertsSpec::Files::kSeparate) {
    for (const MlpNames& expert : layer.experts) expected.add_mlp(expert, experts.intermediate);
  } else {
    const MlpNames& all = layer.experts.front();
    expected.add_stacked(all.gate_up.front(), 2 * experts.intermediate, spec.hidden);
    expected.add_stacked(all.down, spec.hidden, experts.intermediate);
  }
  expected.add_mlp(layer.mlp, experts.shared_intermediate);
  expected.add_linear(layer.shared_gate, 1, spec.hidden);
}

void add_layer(const DecoderSpec& spec, const LayerWeightNames& layer, Expected& expected) {
  const std::int64_t q_width = spec.heads * spec.head_dim;
  const std::int64_t kv_width = spec.kv_heads * spec.head_dim;
  const bool by_head = spec.qk_norm == QkNorm::kHead;
  expected.add_norm(layer.attention_norm);
  expected.add_joined(layer.qkv, {q_width, kv_width, kv_width});
  expected.add(layer.sinks, {spec.heads});
  expected.add(layer.q_norm, {by_head ? spec.head_dim : q_width});
  expected.add(layer.k_norm, {by_head ? spec.head_dim : kv_width});
  expected.add_linear(layer.o, spec.hidden, q_width);
  expected.add_norm(layer.attention_post_norm);
  if (!spec.shared_norm) expected.add_norm(layer.mlp_norm);
  if (layer.experts.empty()) {
    expected.add_mlp(layer.mlp, spec.intermediate);
  } else {
    add_experts(spec, layer, expected);
  }
  expected.add_norm(layer.mlp_post_norm);
}

}  // namespace

std::int64_t ExpectedTensor::parameters() const {
  const std::int64_t elements = c10::multiply_integers(shape);
  switch (kind) {
    case Kind::kFloating:
      return elements;
    case Kind::kMxfp4Blocks:
      return 2 * elements;
    case Kind::kMxfp4Scales:
      return 0;
  }
  return 0;
}

std::vector<ExpectedTensor> expected_tensors(const DecoderSpec& spec, const WeightNames& names) {
  Expected expected(spec);
  expected.add(names.embedding, {spec.vocabulary, spec.hidden});
  expected.add(names.positions, {spec.max_positions, spec.hidden});
  for (const LayerWeightNames& layer : names.layers) add_layer(spec, layer, expected);
  expected.add_norm(names.final_norm);
  if (names.head != names.embedding) expected.add(names.head, {spec.vocabulary, spec.hidden});
  return expected.take();
}

void check_weights(const WeightFiles& weights, const std::vector<ExpectedTensor>& expected,
                   const std::filesystem::path& file) {
  for (const ExpectedTensor& tensor : expected) {
    const TensorLayout* info = weights.find(tensor.name);
    if (info == nullptr) {
      throw InputError("{}: tensor {} {} is missing{}", file.string(), tensor.name, shape_text(tensor.shape),
                       quantised_hint(weights, tensor.name));
    }
    const std::string found_in = weights.file_of(tensor.name).string();
    if (info->shape != tensor.shape) {
      throw InputError("{}: tensor {} is {}, but config.json means {}{}", found_in, tensor.name,
                       shape_text(info->shape), shape_text(tensor.shape),
                       quantised_hint(weights, tensor.name));
    }
    const bool floating = tensor.kind == ExpectedTensor::Kind::kFloating;
    if (floating ? std::ranges::count(kFloating, info->dtype) == 0 : info->dtype != at::kByte) {
      throw InputError("{}: tensor {} is {}, expected {}{}", found_in, tensor.name,
                       safetensors_dtype(info->dtype), floating ? "F32, BF16, F16 or F64" : "U8",
                       quantised_hint(weights, tensor.name));
    }
  }
}

std::vector<std::string> extra_tensors(const WeightFiles& weights,
                                       const std::vector<ExpectedTensor>& expected,
                                       std::span<const std::string_view> buffers) {
  std::set<std::string_view> names;
  for (const ExpectedTensor& tensor : expected) names.insert(tensor.name);
  std::vector<std::string> extra;
  for (const TensorLayout& info : weights.tensors()) {
    const auto ends_name = [&](std::string_view buffer) { return info.name.ends_with(buffer); };
    if (!names.contains(info.name) && std::ranges::none_of(buffers, ends_name)) extra.push_back(info.name);
  }
  return extra;
}

}  // namespace hrt
