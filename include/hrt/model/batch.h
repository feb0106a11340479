#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hrt/model/hooks.h"
#include "hrt/model/kv_cache.h"

namespace hrt {

// The tokens of some sequences, packed into one matrix without padding, one row a token. Holds pointers to
// the sequences' KvSequence objects, which must outlive it and not grow meanwhile.
class Batch {
 public:
  // Adjacent rows of one sequence.
  struct Part {
    std::int64_t first_row = 0;
    std::int64_t rows = 0;
    std::int64_t rope_length = 0;
    const KvSequence* kv = nullptr;
  };

  // Adds the next `tokens` of `sequence` (the caller's number), whose earlier ones are in `kv`, and makes
  // room for them there. `rope_length`: the length of the sequence as RoPE `dynamic` counts it. `jobs`: see
  // TokenMap.
  void add(KvCache& cache, KvSequence& kv, std::int64_t sequence, std::span<const std::int64_t> tokens,
           std::int64_t rope_length, std::int64_t jobs = 1);

  // Nothing but `rows` (ascending) is wanted of the last block that is run: only these pass through it whole.
  void set_outputs(std::vector<std::int64_t> rows) { outputs_ = std::move(rows); }
  const std::vector<std::int64_t>& outputs() const { return outputs_; }
  // The same sequences with these rows alone. Their keys and values must be stored already.
  Batch only(const std::vector<std::int64_t>& rows) const;

  std::int64_t size() const { return map_.size(); }
  const TokenMap& map() const { return map_; }
  const std::vector<Part>& parts() const { return parts_; }
  const std::vector<std::int64_t>& tokens() const { return tokens_; }
  const std::vector<std::int64_t>& slots() const { return slots_; }  // where in the cache each row's keys lie

 private:
  TokenMap map_;
  std::vector<Part> parts_;
  std::vector<std::int64_t> tokens_;
  std::vector<std::int64_t> slots_;
  std::vector<std::int64_t> outputs_;
};

}  // namespace hrt
