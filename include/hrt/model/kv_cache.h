#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "hrt/model/decoder_spec.h"

namespace hrt {

// Tokens in one page of the cache.
inline constexpr std::int64_t kPageTokens = 16;

// Some adjacent tokens of a sequence: positions first .. first + count - 1, in the first places of a page.
struct KvBlock {
  std::int64_t page = 0;
  std::int64_t first = 0;
  std::int64_t count = 0;
};

// One sequence's place in a KvCache: blocks in order of position. Blocks before `owned_from` are shared with
// the sequence that this one was forked from and are never written. Made and ended by KvCache.
struct KvSequence {
  std::vector<KvBlock> blocks;
  std::size_t owned_from = 0;
  std::int64_t length = 0;  // tokens
};

// Page `from` is to be copied to page `to`.
struct PageCopy {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

// The pages that `branch` owns, each with that of `parent` which holds the same positions.
std::vector<PageCopy> matching_pages(const KvSequence& parent, const KvSequence& branch);

// How a page is laid out.
enum class KvLayout {
  kTokens,     // keys and values [token, kv_head, head_dim]: what ATen's attention wants
  kKeyBlocks,  // keys [kv_head, head_dim, token], values [kv_head, token, padded head_dim]: what the CPU
               // kernel wants, whose vectors run over the keys of a page
};

// Keys and values of many sequences, in pages of 16 tokens out of one slab a layer. A forked sequence shares
// its parent's pages, so a common prefix is stored once; a shared page that is not full is left as it is and
// the fork starts a page of its own. All memory is taken at construction, and touched only as pages are used.
class KvCache {
 public:
  KvCache(const DecoderSpec& spec, std::int64_t pages, const at::TensorOptions& options, KvLayout layout);

  // Bytes of `pages` pages over all layers, in elements of `element_size` bytes.
  static std::int64_t bytes(const DecoderSpec& spec, std::int64_t pages, std::int64_t element_size);
  static std::int64_t pages_for(std::int64_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

  // Makes room for `count` more tokens and appends to `slots` where each lies: page * 16 + place in the page.
  // Throws RunError when no page is left.
  void append(KvSequence& sequence, std::int64_t count, std::vector<std::int64_t>& slots);
  // A sequence that starts with the first `tokens` of `parent`'s tokens.
  KvSequence fork(const KvSequence& parent, std::int64_t tokens);
  // The same, laid out like `parent`: the page that ends within these tokens is copied, so that what is
  // appended lies at the same places of its pages as in `parent` (matching_pages).
  KvSequence branch(const KvSequence& parent, std::int64_t tokens);
  void release(KvSequence& sequence);

  // Copies whole pages in the first `layers` layers.
  void copy(std::span<const PageCopy> pages, std::int64_t layers);

  KvLayout layout() const { return layout_; }
  std::int64_t free_pages() const { return static_cast<std::int64_t>(free_.size()); }
  const at::Tensor& keys(std::int64_t layer) const { return keys_[static_cast<std::size_t>(layer)]; }
  const at::Tensor& values(std::int64_t layer) const { return values_[static_cast<std::size_t>(layer)]; }

 private:
  std::int64_t take_page();
  KvBlock& block_with_room(KvSequence& sequence);

  KvLayout layout_;
  std::vector<at::Tensor> keys_;
  std::vector<at::Tensor> values_;
  std::vector<std::int64_t> free_;
  std::vector<std::int64_t> users_;  // by page
};

}  // namespace hrt
