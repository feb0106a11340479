#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels.h"

namespace hrt {

namespace {

// Queries x keys that one call may have, padding included: bounds the mask.
constexpr std::int64_t kMaxScores = std::int64_t{1} << 22;
// Elements of the keys that are gathered for one call.
constexpr std::int64_t kMaxGathered = std::int64_t{1} << 26;

// Sequences that attend in one call, padded to the longest of them. Only attention pads: its share of the
// work is small, and a call for each sequence costs more than it saves. Index tensors are on the device.
struct Group {
  std::int64_t count = 0;      // sequences
  std::int64_t queries = 0;    // of the longest
  std::int64_t keys = 0;       // of the longest
  at::Tensor rows;             // [count * queries] packed row of each query; padding repeats row 0
  at::Tensor used;             // indices into `rows` that are no padding
  at::Tensor used_rows;        // their packed rows
  at::Tensor slots;            // [count * keys] where each key lies
  at::Tensor query_positions;  // [count, 1, queries, 1]
  at::Tensor key_positions;    // [count, 1, 1, keys]; padding lies after every query
};

std::int64_t keys_of(const Batch::Part& part) { return part.kv->length; }

// Fills a Group on the CPU, sequence by sequence.
class GroupBuilder {
 public:
  GroupBuilder(const Batch& batch, std::span<const Batch::Part* const> parts) : batch_(batch) {
    group_.count = static_cast<std::int64_t>(parts.size());
    for (const Batch::Part* part : parts) {
      group_.queries = std::max(group_.queries, part->rows);
      group_.keys = std::max(group_.keys, keys_of(*part));
    }
    for (const Batch::Part* part : parts) {
      add_queries(*part);
      add_keys(*part);
    }
  }

  Group finish(at::Device device) {
    const auto tensor = [&](const std::vector<std::int64_t>& values) {
      return at::tensor(values).to(device);
    };
    group_.rows = tensor(rows_);
    group_.used = tensor(used_);
    group_.used_rows = group_.rows.index_select(0, group_.used);
    group_.slots = tensor(slots_);
    group_.query_positions = tensor(query_positions_).view({group_.count, 1, group_.queries, 1});
    group_.key_positions = tensor(key_positions_).view({group_.count, 1, 1, group_.keys});
    return group_;
  }

 private:
  void add_queries(const Batch::Part& part) {
    for (std::int64_t i = 0; i < group_.queries; ++i) {
      const std::int64_t row = part.first_row + std::min(i, part.rows - 1);
      if (i < part.rows) used_.push_back(static_cast<std::int64_t>(rows_.size()));
      rows_.push_back(row);
      query_positions_.push_back(batch_.map().position[static_cast<std::size_t>(row)]);
    }
  }

  void add_keys(const Batch::Part& part) {
    for (const KvBlock& block : part.kv->blocks) {
      for (std::int64_t i = 0; i < block.count; ++i) {
        slots_.push_back(block.page * kPageTokens + i);
        key_positions_.push_back(block.first + i);
      }
    }
    // Padding repeats a written key: what was never written may be NaN, which no weight of 0 removes.
    const std::int64_t written = slots_.back();
    slots_.resize(slots_.size() + static_cast<std::size_t>(group_.keys - keys_of(part)), written);
    key_positions_.resize(slots_.size(), std::numeric_limits<std::int64_t>::max());
  }

  const Batch& batch_;
  Group group_;
  std::vector<std::int64_t> rows_, used_, slots_, query_positions_, key_positions_;
};

// Cuts the parts, sorted by size so that little is padded, into groups of bounded size.
std::vector<Group> make_groups(const DecoderSpec& spec, const Batch& batch, at::Device device) {
  std::vector<const Batch::Part*> parts;
  for (const Batch::Part& part : batch.parts()) parts.push_back(&part);
  std::ranges::stable_sort(parts, {}, [](const auto* part) { return std::pair(part->rows, keys_of(*part)); });
  std::vector<Group> groups;
  for (std::size_t begin = 0, end = 0; begin < parts.size(); begin = end) {
    std::int64_t keys = 0;
    for (end = begin; end < parts.size(); ++end) {
      keys = std::max(keys, keys_of(*parts[end]));
      const std::int64_t count = static_cast<std::int64_t>(end + 1 - begin);
      const bool too_large = count * parts[end]->rows * keys > kMaxScores ||
                             count * keys * spec.heads * spec.head_dim > kMaxGathered;
      const bool much_longer = parts[end]->rows > 2 * parts[begin]->rows + 16;
      if (end > begin && (too_large || much_longer)) break;
    }
    groups.push_back(GroupBuilder(batch, std::span(parts).subspan(begin, end - begin)).finish(device));
  }
  return groups;
}

class AtenAttention : public AttentionStep {
 public:
  AtenAttention(const DecoderSpec& spec, const Batch& batch, KvCache& cache)
      : spec_(spec), cache_(cache), device_(cache.keys(0).device()) {
    slots_ = at::tensor(batch.slots()).to(device_);
    groups_ = make_groups(spec_, batch, device_);
  }

  void store(at::Tensor& qkv, const at::Tensor& bias, const RopeTable& rope, std::int64_t layer) override {
    if (bias.defined()) qkv.add_(bias);
    const at::Tensor heads = qkv.view({qkv.size(0), -1, spec_.head_dim});
    rotate(heads.narrow(1, 0, spec_.heads + spec_.kv_heads), rope);
    const std::int64_t first_key = spec_.heads;
    at::Tensor keys = cache_.keys(layer);
    at::Tensor values = cache_.values(layer);
    keys.index_copy_(0, slots_, heads.narrow(1, first_key, spec_.kv_heads));
    values.index_copy_(0, slots_, heads.narrow(1, first_key + spec_.kv_heads, spec_.kv_heads));
  }

  void narrow(const Batch& kept) override { groups_ = make_groups(spec_, kept, device_); }

  void attend(const at::Tensor& qkv, std::int64_t layer, std::int64_t window, const at::Tensor& sinks,
              at::Tensor& out) override {
    for (const Group& group : groups_) attend_group(group, qkv, layer, window, sinks, out);
  }

 private:
  // Of [tokens, heads, head_dim], the first dimensions of each head, in place.
  static void rotate(const at::Tensor& heads, const RopeTable& rope) {
    const std::int64_t pairs = rope.cos.size(1);
    if (pairs == 0) return;
    at::Tensor rotated = heads.narrow(2, 0, 2 * pairs);
    const at::Tensor x = rotated.to(at::kFloat);
    const at::Tensor a = x.narrow(2, 0, pairs);
    const at::Tensor b = x.narrow(2, pairs, pairs);
    const at::Tensor cos = rope.cos.unsqueeze(1);  // the same angles for all heads
    const at::Tensor sin = rope.sin.unsqueeze(1);
    rotated.copy_(at::cat({a.mul(cos).sub_(b.mul(sin)), b.mul(cos).add_(a.mul(sin))}, 2));
  }

  // softmax(cap(q k)) v; ATen's fused attention knows neither cap nor sinks.
  at::Tensor mix(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                 const at::Tensor& mask, const at::Tensor& sinks) const {
    const double scale = query_scale(spec_);
    if (spec_.attention_softcap == 0 && !sinks.defined()) {
      return at::scaled_dot_product_attention(queries, keys, values, mask, 0, false, scale);
    }
    at::Tensor scores = at::matmul(queries, keys.transpose(2, 3)).mul_(scale);
    softcap(scores, spec_.attention_softcap);
    scores.masked_fill_(mask.logical_not(), -std::numeric_limits<double>::infinity());
    if (sinks.defined()) {
      const at::Tensor sink = sinks.view({1, -1, 1, 1}).expand({scores.size(0), -1, scores.size(2), 1});
      scores = at::cat({scores, sink}, 3);
    }
    const at::Tensor weights = scores.softmax(-1, at::kFloat).narrow(3, 0, keys.size(2));
    return at::matmul(weights.to(values.scalar_type()), values);
  }

  // [count, heads, keys, head_dim]: a key head serves heads / kv_heads query heads
  at::Tensor gather(const at::Tensor& cached, const Group& group) const {
    const std::int64_t share = spec_.heads / spec_.kv_heads;
    const std::vector<std::int64_t> by_sequence{group.count, group.keys, spec_.kv_heads, 1, spec_.head_dim};
    const std::vector<std::int64_t> expanded{group.count, group.keys, spec_.kv_heads, share, spec_.head_dim};
    return cached.index_select(0, group.slots)
        .view(by_sequence)
        .expand(expanded)
        .reshape({group.count, group.keys, spec_.heads, spec_.head_dim})
        .transpose(1, 2);
  }

  void attend_group(const Group& group, const at::Tensor& qkv, std::int64_t layer, std::int64_t window,
                    const at::Tensor& sinks, at::Tensor& out) const {
    at::Tensor mask = group.key_positions.le(group.query_positions);
    if (window > 0) mask.logical_and_(group.key_positions.gt(group.query_positions.sub(window)));
    const std::int64_t width = spec_.heads * spec_.head_dim;
    const at::Tensor queries = qkv.narrow(1, 0, width)
                                   .index_select(0, group.rows)
                                   .view({group.count, group.queries, spec_.heads, spec_.head_dim})
                                   .transpose(1, 2);
    const at::Tensor mixed =
        mix(queries, gather(cache_.keys(layer), group), gather(cache_.values(layer), group), mask, sinks);
    const at::Tensor rows = mixed.transpose(1, 2).reshape({group.count * group.queries, width});
    out.index_copy_(0, group.used_rows, rows.index_select(0, group.used));
  }

  const DecoderSpec& spec_;
  KvCache& cache_;
  at::Device device_;
  at::Tensor slots_;
  std::vector<Group> groups_;
};

}  // namespace

std::unique_ptr<AttentionStep> make_aten_attention(const DecoderSpec& spec, const Batch& batch,
                                                   KvCache& cache) {
  return std::make_unique<AtenAttention>(spec, batch, cache);
}

}  // namespace hrt
