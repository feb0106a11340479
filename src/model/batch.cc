#include "hrt/model/batch.h"

namespace hrt {

void Batch::add(KvCache& cache, KvSequence& kv, std::int64_t sequence, std::span<const std::int64_t> tokens,
                std::int64_t rope_length, std::int64_t jobs) {
  const auto count = static_cast<std::int64_t>(tokens.size());
  parts_.push_back({.first_row = size(), .rows = count, .rope_length = rope_length, .kv = &kv});
  for (std::int64_t i = 0; i < count; ++i) {
    map_.sequence.push_back(sequence);
    map_.position.push_back(kv.length + i);
    map_.jobs.push_back(jobs);
  }
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  cache.append(kv, count, slots_);
}

Batch Batch::only(const std::vector<std::int64_t>& rows) const {
  Batch kept;
  auto part = parts_.begin();
  for (const std::int64_t row : rows) {
    while (row >= part->first_row + part->rows) ++part;
    if (kept.parts_.empty() || kept.parts_.back().kv != part->kv) {
      kept.parts_.push_back(
          {.first_row = kept.size(), .rows = 0, .rope_length = part->rope_length, .kv = part->kv});
    }
    ++kept.parts_.back().rows;
    const auto i = static_cast<std::size_t>(row);
    kept.map_.sequence.push_back(map_.sequence[i]);
    kept.map_.position.push_back(map_.position[i]);
    kept.map_.jobs.push_back(map_.jobs[i]);
    kept.tokens_.push_back(tokens_[i]);
    kept.slots_.push_back(slots_[i]);
  }
  return kept;
}

}  // namespace hrt
