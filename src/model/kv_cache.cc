#include "hrt/model/kv_cache.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <utility>

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
  return sequence.blocks.emplace_back(KvBlock{.page = take_page(), .first = sequence.length, .count = 0});
}

std::int64_t KvCache::take_page() {
  if (free_.empty()) throw RunError("the KV cache of {} pages is full", users_.size());
  const std::int64_t page = free_.back();
  free_.pop_back();
  users_[static_cast<std::size_t>(page)] = 1;
  return page;
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

KvSequence KvCache::fork(const KvSequence& parent, std::int64_t tokens) {
  KvSequence fork;
  fork.length = tokens;
  for (const KvBlock& block : parent.blocks) {
    if (block.first >= tokens) break;
    fork.blocks.push_back({block.page, block.first, std::min(block.count, tokens - block.first)});
    ++users_[static_cast<std::size_t>(block.page)];
  }
  fork.owned_from = fork.blocks.size();
  return fork;
}

KvSequence KvCache::branch(const KvSequence& parent, std::int64_t tokens) {
  KvSequence branch = fork(parent, tokens);
  if (branch.blocks.empty()) return branch;
  KvBlock& last = branch.blocks.back();
  const KvBlock& whole = parent.blocks[branch.blocks.size() - 1];
  if (last.count == whole.count) return branch;
  const PageCopy page{.from = last.page, .to = take_page()};
  copy({&page, 1}, static_cast<std::int64_t>(keys_.size()));
  --users_[static_cast<std::size_t>(last.page)];
  last.page = page.to;
  --branch.owned_from;
  return branch;
}

void KvCache::copy(std::span<const PageCopy> pages, std::int64_t layers) {
  if (pages.empty() || layers == 0) return;
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> to;
  for (const PageCopy& page : pages) {
    from.push_back(page.from);
    to.push_back(page.to);
  }
  const at::Device device = keys_.front().device();
  const at::Tensor sources = at::tensor(from).to(device);
  const at::Tensor targets = at::tensor(to).to(device);
  const auto count = static_cast<std::int64_t>(users_.size());
  for (std::size_t layer = 0; std::cmp_less(layer, layers); ++layer) {
    for (const at::Tensor& slab : {keys_[layer], values_[layer]}) {
      const at::Tensor by_page = slab.view({count, -1});
      by_page.index_copy_(0, targets, by_page.index_select(0, sources));
    }
  }
}

std::vector<PageCopy> matching_pages(const KvSequence& parent, const KvSequence& branch) {
  std::vector<PageCopy> pages;
  auto match = parent.blocks.begin();
  for (std::size_t i = branch.owned_from; i < branch.blocks.size(); ++i) {
    while (match != parent.blocks.end() && match->first < branch.blocks[i].first) ++match;
    if (match == parent.blocks.end()) break;
    pages.push_back({.from = match->page, .to = branch.blocks[i].page});
  }
  return pages;
}

void KvCache::release(KvSequence& sequence) {
  for (const KvBlock& block : sequence.blocks) {
    if (--users_[static_cast<std::size_t>(block.page)] == 0) free_.push_back(block.page);
  }
  sequence = {};
}

}  // namespace hrt
