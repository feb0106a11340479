#include "hrt/model/kv_cache.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "hrt/base/error.h"

namespace hrt {

namespace {

// Rows of values are padded, so that the CPU kernel may load whole vectors of 16.
std::int64_t padded(std::int64_t head_dim) { return (head_dim + 15) / 16 * 16; }

}  // namespace

KvCache::KvCache(const DecoderSpec& spec, std::int64_t pages, const at::TensorOptions& options,
                 KvLayout layout)
    : layout_(layout), users_(static_cast<std::size_t>(pages), 0) {
  const bool blocks = layout == KvLayout::kKeyBlocks;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    keys_.push_back(blocks ? at::empty({pages, spec.kv_heads, spec.head_dim, kPageTokens}, options)
                           : at::empty({pages * kPageTokens, spec.kv_heads, spec.head_dim}, options));
    values_.push_back(blocks ? at::empty({pages, spec.kv_heads, kPageTokens, padded(spec.head_dim)}, options)
                             : at::empty({pages * kPageTokens, spec.kv_heads, spec.head_dim}, options));
  }
  for (std::int64_t page = pages; page-- > 0;) free_.push_back(page);
}

std::int64_t KvCache::bytes(const DecoderSpec& spec, std::int64_t pages, std::int64_t element_size) {
  const std::int64_t row = spec.kv_heads * (spec.head_dim + padded(spec.head_dim));
  return spec.layers * pages * kPageTokens * row * element_size;
}

KvBlock& KvCache::block_with_room(KvSequence& sequence) {
  const bool owns_last = sequence.blocks.size() > sequence.owned_from;
  if (owns_last && sequence.blocks.back().count < kPageTokens) return sequence.blocks.back();
  if (free_.empty()) throw RunError("the KV cache of {} pages is full", users_.size());
  const std::int64_t page = free_.back();
  free_.pop_back();
  users_[static_cast<std::size_t>(page)] = 1;
  return sequence.blocks.emplace_back(KvBlock{.page = page, .first = sequence.length, .count = 0});
}

void KvCache::append(KvSequence& sequence, std::int64_t count, std::vector<std::int64_t>& slots) {
  while (count > 0) {
    KvBlock& block = block_with_room(sequence);
    const std::int64_t taken = std::min(count, kPageTokens - block.count);
    for (std::int64_t i = 0; i < taken; ++i) slots.push_back(block.page * kPageTokens + block.count + i);
    block.count += taken;
    sequence.length += taken;
    count -= taken;
  }
}

KvSequence KvCache::fork(const KvSequence& parent) {
  for (const KvBlock& block : parent.blocks) ++users_[static_cast<std::size_t>(block.page)];
  return {.blocks = parent.blocks, .owned_from = parent.blocks.size(), .length = parent.length};
}

void KvCache::release(KvSequence& sequence) {
  for (const KvBlock& block : sequence.blocks) {
    if (--users_[static_cast<std::size_t>(block.page)] == 0) free_.push_back(block.page);
  }
  sequence = {};
}

}  // namespace hrt
