#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "kernels.h"
#include "simd.h"

namespace hrt {

namespace {

using simd::kWidth;
using simd::Vec;
static_assert(kPageTokens == kWidth, "a vector runs over the keys of one page");

// Query rows that share each load of a key or value. A query row is one head of one token.
constexpr std::int64_t kTileRows = 8;
// Tokens of one sequence that make one task.
constexpr std::int64_t kTaskTokens = 64;

struct Shape {
  std::int64_t heads;
  std::int64_t kv_heads;
  std::int64_t share;  // query heads of a key head
  std::int64_t head_dim;
  std::int64_t padded;  // floats of a row of values
  std::int64_t stride;  // floats of a row of qkv
};

struct LayerCache {
  float* keys;
  float* values;
};

// --- storing ---

struct StoreRows {
  Shape shape;
  float* qkv;
  const float* bias;  // or nullptr
  const float* cos;
  const float* sin;
  std::int64_t pairs;  // of a head that are rotated, among its first 2 * pairs floats
  float query_scale;
  const std::int64_t* slots;
  LayerCache cache;
};

// (a, b) -> (a cos - b sin, b cos + a sin) over the two halves of what is rotated, times `scale`
HRT_INLINE void rotate(float* x, const float* cos, const float* sin, std::int64_t half, float scale) {
  std::int64_t i = 0;
  for (; i + kWidth <= half; i += kWidth) {
    const Vec a = simd::load(x + i);
    const Vec b = simd::load(x + half + i);
    const Vec c = simd::load(cos + i);
    const Vec s = simd::load(sin + i);
    simd::store(x + i, (a * c - b * s) * scale);
    simd::store(x + half + i, (b * c + a * s) * scale);
  }
  for (; i < half; ++i) {
    const float a = x[i];
    const float b = x[half + i];
    x[i] = (a * cos[i] - b * sin[i]) * scale;
    x[half + i] = (b * cos[i] + a * sin[i]) * scale;
  }
}

HRT_CLONES void store_rows(const StoreRows& job, std::int64_t begin, std::int64_t end) {
  const Shape& shape = job.shape;
  const std::int64_t dim = shape.head_dim;
  for (std::int64_t row = begin; row < end; ++row) {
    float* x = job.qkv + row * shape.stride;
    if (job.bias != nullptr) {
      for (std::int64_t i = 0; i < shape.stride; ++i) x[i] += job.bias[i];
    }
    const float* cos = job.cos + row * job.pairs;
    const float* sin = job.sin + row * job.pairs;
    for (std::int64_t head = 0; head < shape.heads; ++head) {
      float* query = x + head * dim;
      rotate(query, cos, sin, job.pairs, job.query_scale);
      for (std::int64_t i = 2 * job.pairs; i < dim; ++i) query[i] *= job.query_scale;
    }
    const std::int64_t page = job.slots[row] / kPageTokens;
    const std::int64_t place = job.slots[row] % kPageTokens;
    for (std::int64_t head = 0; head < shape.kv_heads; ++head) {
      float* key = x + (shape.heads + head) * dim;
      rotate(key, cos, sin, job.pairs, 1.0F);
      float* keys = job.cache.keys + (page * shape.kv_heads + head) * dim * kPageTokens + place;
      for (std::int64_t i = 0; i < dim; ++i) keys[i * kPageTokens] = key[i];
      const float* value = x + (shape.heads + shape.kv_heads + head) * dim;
      float* values =
          job.cache.values + ((page * shape.kv_heads + head) * kPageTokens + place) * shape.padded;
      for (std::int64_t i = 0; i < dim; ++i) values[i] = value[i];
    }
  }
}

// --- attending ---

// Some tokens of one sequence, and the key head that they attend with.
struct Task {
  const Batch::Part* part;
  std::int64_t first_row;
  std::int64_t rows;
  std::int64_t kv_head;
};

struct AttendJob {
  Shape shape;
  const float* qkv;
  const std::int64_t* positions;
  float* out;
  LayerCache cache;
  std::int64_t window;
  float softcap;       // or 0
  const float* sinks;  // of each head; or nullptr
};

// The keys of a tile of query rows: blocks [first, last) of the sequence; scores are kept for whole pages.
struct Tile {
  const KvBlock* blocks;
  std::int64_t count;
  const float* query[kTileRows];
  std::int64_t position[kTileRows];
  float* out[kTileRows];
  float* scores[kTileRows];
  float total[kTileRows];
};

// Which keys of a block a query at `position` sees, as places in the page.
struct Seen {
  std::int64_t begin;
  std::int64_t end;
};

HRT_INLINE Seen seen(const KvBlock& block, std::int64_t position, std::int64_t window) {
  const std::int64_t oldest = window > 0 ? position - window + 1 - block.first : 0;
  const std::int64_t newest = position + 1 - block.first;
  const std::int64_t end = newest < block.count ? newest : block.count;
  return {.begin = oldest > 0 ? oldest : 0, .end = end > 0 ? end : 0};
}

// Scores of kRows queries against kBlocks pages: enough independent sums to keep the multipliers busy.
template <int kRows, int kBlocks>
HRT_INLINE void score_blocks(const AttendJob& job, std::int64_t kv_head, const Tile& tile,
                             std::int64_t block) {
  const std::int64_t dim = job.shape.head_dim;
  const float* keys[kBlocks];
  const float* values[kBlocks];  // will be needed next
  for (int b = 0; b < kBlocks; ++b) {
    const std::int64_t page = tile.blocks[block + b].page * job.shape.kv_heads + kv_head;
    keys[b] = job.cache.keys + page * dim * kPageTokens;
    values[b] = job.cache.values + page * job.shape.padded * kPageTokens;
  }
  Vec sums[kRows][kBlocks] = {};
  for (std::int64_t i = 0; i < dim; ++i) {
    for (int b = 0; b < kBlocks; ++b) {
      const Vec key = simd::load(keys[b] + i * kPageTokens);
      __builtin_prefetch(values[b] + i * kPageTokens);
      for (int r = 0; r < kRows; ++r) sums[r][b] += key * tile.query[r][i];
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int b = 0; b < kBlocks; ++b) simd::store(tile.scores[r] + (block + b) * kPageTokens, sums[r][b]);
  }
}

template <int kRows>
HRT_INLINE void score(const AttendJob& job, std::int64_t kv_head, const Tile& tile) {
  constexpr int kBlocks = kRows >= 8 ? 1 : kRows >= 3 ? 2 : 4;
  std::int64_t block = 0;
  for (; block + kBlocks <= tile.count; block += kBlocks)
    score_blocks<kRows, kBlocks>(job, kv_head, tile, block);
  for (; block < tile.count; ++block) score_blocks<kRows, 1>(job, kv_head, tile, block);
}

HRT_INLINE void cap(const AttendJob& job, const Tile& tile, std::int64_t row) {
  float* scores = tile.scores[row];
  for (std::int64_t i = 0; i < tile.count * kPageTokens; i += kWidth) {
    simd::store(scores + i, job.softcap * simd::tanh(simd::load(scores + i) / job.softcap));
  }
}

// Scores of unseen keys become -inf, so that they weigh nothing.
HRT_INLINE void mask(const AttendJob& job, const Tile& tile, std::int64_t row) {
  for (std::int64_t block = 0; block < tile.count; ++block) {
    const Seen keys = seen(tile.blocks[block], tile.position[row], job.window);
    if (keys.begin == 0 && keys.end == kPageTokens) continue;
    float* scores = tile.scores[row] + block * kPageTokens;
    for (std::int64_t i = 0; i < kPageTokens; ++i) {
      if (i < keys.begin || i >= keys.end) scores[i] = -INFINITY;
    }
  }
}

// Scores become weights that still have to be divided by their sum, `total`. Returns the largest score.
HRT_INLINE float softmax(Tile& tile, std::int64_t row) {
  float* scores = tile.scores[row];
  const std::int64_t count = tile.count * kPageTokens;
  Vec top = simd::load(scores);
  for (std::int64_t i = kWidth; i < count; i += kWidth) {
    const Vec value = simd::load(scores + i);
    top = value > top ? value : top;
  }
  const float best = simd::largest(top);
  Vec total{};
  for (std::int64_t i = 0; i < count; i += kWidth) {
    const Vec weight = simd::exp(simd::load(scores + i) - best);
    simd::store(scores + i, weight);
    total += weight;
  }
  tile.total[row] = simd::sum(total);
  return best;
}

// Columns [column, column + 16 * kColumns) of the mix of values. Places past a block's count were never
// written and are not read; unseen ones have weight 0.
template <int kRows, int kColumns>
HRT_INLINE void mix_columns(const AttendJob& job, std::int64_t kv_head, const Tile& tile,
                            std::int64_t column) {
  Vec sums[kRows][kColumns] = {};
  for (std::int64_t block = 0; block < tile.count; ++block) {
    const KvBlock& keys = tile.blocks[block];
    const float* value = job.cache.values +
                         (keys.page * job.shape.kv_heads + kv_head) * kPageTokens * job.shape.padded + column;
    for (std::int64_t i = 0; i < keys.count; ++i, value += job.shape.padded) {
      for (int c = 0; c < kColumns; ++c) {
        const Vec part = simd::load(value + c * kWidth);
        for (int r = 0; r < kRows; ++r) sums[r][c] += part * tile.scores[r][block * kPageTokens + i];
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kColumns; ++c) {
      const std::int64_t at = column + c * kWidth;
      const std::int64_t left = job.shape.head_dim - at;
      const Vec value = sums[r][c] / tile.total[r];
      left < kWidth ? simd::store_some(tile.out[r] + at, value, left) : simd::store(tile.out[r] + at, value);
    }
  }
}

template <int kRows>
HRT_INLINE void mix(const AttendJob& job, std::int64_t kv_head, const Tile& tile) {
  constexpr int kColumns = kRows >= 4 ? 2 : 4;
  std::int64_t column = 0;
  for (; column + kColumns * kWidth <= job.shape.padded; column += kColumns * kWidth) {
    mix_columns<kRows, kColumns>(job, kv_head, tile, column);
  }
  for (; column < job.shape.padded; column += kWidth) mix_columns<kRows, 1>(job, kv_head, tile, column);
}

HRT_INLINE std::int64_t head_of(const Task& task, const Shape& shape, std::int64_t query_row) {
  return task.kv_head * shape.share + query_row % shape.share;
}

// `first`: the tile's first query row, counted over the task's tokens and the heads that share the key head.
template <int kRows>
HRT_INLINE void attend_tile(const AttendJob& job, const Task& task, std::int64_t first, float* scratch) {
  const Shape& shape = job.shape;
  Tile tile;
  for (int r = 0; r < kRows; ++r) {
    const std::int64_t row = task.first_row + (first + r) / shape.share;
    const std::int64_t head = head_of(task, shape, first + r);
    tile.query[r] = job.qkv + row * shape.stride + head * shape.head_dim;
    tile.out[r] = job.out + (row * shape.heads + head) * shape.head_dim;
    tile.position[r] = job.positions[row];
  }
  // Positions ascend: the first row sees the oldest key, the last row the newest.
  const KvBlock* begin = task.part->kv->blocks.data();
  const KvBlock* end = begin + task.part->kv->blocks.size();
  while (seen(*begin, tile.position[0], job.window).begin >= begin->count) ++begin;
  while (seen(end[-1], tile.position[kRows - 1], job.window).end == 0) --end;
  tile.blocks = begin;
  tile.count = end - begin;
  for (int r = 0; r < kRows; ++r) tile.scores[r] = scratch + r * tile.count * kPageTokens;
  score<kRows>(job, task.kv_head, tile);
  for (int r = 0; r < kRows; ++r) {
    if (job.softcap > 0) cap(job, tile, r);
    mask(job, tile, r);
    const float best = softmax(tile, r);
    if (job.sinks != nullptr) tile.total[r] += std::exp(job.sinks[head_of(task, shape, first + r)] - best);
  }
  mix<kRows>(job, task.kv_head, tile);
}

HRT_CLONES void attend_task(const AttendJob& job, const Task& task, float* scratch) {
  const std::int64_t rows = task.rows * job.shape.share;
  std::int64_t row = 0;
  for (; row + 8 <= rows; row += 8) attend_tile<8>(job, task, row, scratch);
  for (; row + 4 <= rows; row += 4) attend_tile<4>(job, task, row, scratch);
  for (; row + 3 <= rows; row += 3) attend_tile<3>(job, task, row, scratch);
  for (; row < rows; ++row) attend_tile<1>(job, task, row, scratch);
}

class CpuAttention : public AttentionStep {
 public:
  CpuAttention(const DecoderSpec& spec, const Batch& batch, KvCache& cache)
      : cache_(cache),
        batch_(&batch),
        query_scale_(static_cast<float>(query_scale(spec))),
        softcap_(static_cast<float>(spec.attention_softcap)) {
    shape_ = {.heads = spec.heads,
              .kv_heads = spec.kv_heads,
              .share = spec.heads / spec.kv_heads,
              .head_dim = spec.head_dim,
              .padded = (spec.head_dim + kWidth - 1) / kWidth * kWidth,
              .stride = (spec.heads + 2 * spec.kv_heads) * spec.head_dim};
    make_tasks();
  }

  void store(at::Tensor& qkv, const at::Tensor& bias, const RopeTable& rope, std::int64_t layer) override {
    const StoreRows job{.shape = shape_,
                        .qkv = qkv.data_ptr<float>(),
                        .bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr,
                        .cos = rope.cos.const_data_ptr<float>(),
                        .sin = rope.sin.const_data_ptr<float>(),
                        .pairs = rope.cos.size(1),
                        .query_scale = query_scale_,
                        .slots = batch_->slots().data(),
                        .cache = layer_cache(layer)};
    at::parallel_for(0, qkv.size(0), 16,
                     [&](std::int64_t begin, std::int64_t end) { store_rows(job, begin, end); });
  }

  void narrow(const Batch& kept) override {
    batch_ = &kept;
    make_tasks();
  }

  void attend(const at::Tensor& qkv, std::int64_t layer, std::int64_t window, const at::Tensor& sinks,
              at::Tensor& out) override {
    const AttendJob job{.shape = shape_,
                        .qkv = qkv.const_data_ptr<float>(),
                        .positions = batch_->map().position.data(),
                        .out = out.data_ptr<float>(),
                        .cache = layer_cache(layer),
                        .window = window,
                        .softcap = softcap_,
                        .sinks = sinks.defined() ? sinks.const_data_ptr<float>() : nullptr};
    // Tasks differ in size: threads take them one by one.
    std::atomic<std::size_t> next = 0;
    at::parallel_for(0, at::get_num_threads(), 1, [&](std::int64_t, std::int64_t) {
      std::vector<float> scratch(static_cast<std::size_t>(kTileRows * longest_pages_ * kPageTokens));
      for (std::size_t i = next++; i < tasks_.size(); i = next++) attend_task(job, tasks_[i], scratch.data());
    });
  }

 private:
  void make_tasks() {
    tasks_.clear();
    for (const Batch::Part& part : batch_->parts()) {
      longest_pages_ = std::max(longest_pages_, static_cast<std::int64_t>(part.kv->blocks.size()));
      for (std::int64_t row = 0; row < part.rows; row += kTaskTokens) {
        for (std::int64_t head = 0; head < shape_.kv_heads; ++head) {
          tasks_.push_back({.part = &part,
                            .first_row = part.first_row + row,
                            .rows = std::min(kTaskTokens, part.rows - row),
                            .kv_head = head});
        }
      }
    }
  }

  LayerCache layer_cache(std::int64_t layer) const {
    return {.keys = cache_.keys(layer).data_ptr<float>(), .values = cache_.values(layer).data_ptr<float>()};
  }

  KvCache& cache_;
  const Batch* batch_;
  float query_scale_;
  float softcap_;
  Shape shape_{};
  std::int64_t longest_pages_ = 0;
  std::vector<Task> tasks_;
};

}  // namespace

std::unique_ptr<AttentionStep> make_cpu_attention(const DecoderSpec& spec, const Batch& batch,
                                                  KvCache& cache) {
  return std::make_unique<CpuAttention>(spec, batch, cache);
}

}  // namespace hrt
