#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "hrt/model/capture.h"
#include "hrt/model/decoder.h"

namespace hrt {

// A prompt of which one token's rows are wanted. What stands behind that token is not computed.
struct StreamPrompt {
  std::vector<std::int64_t> tokens;
  std::int64_t token = 0;  // index of the wanted one
};

// Rows of the residual stream for prompts that come batch by batch, without end: what run_jobs computes, but
// the beginning that prompts share is kept from batch to batch, and memory stays as it is. Stops after the
// deepest row, and never computes the head. One thread at a time.
class RowStream {
 public:
  // `rows`: numbers of the rows, of 0..L, ascending. The decoder must outlive this object.
  RowStream(const Decoder& decoder, std::vector<std::int64_t> rows);

  // Keeps the keys and values of these tokens: prompts that begin with them, or with some of them, are not
  // computed there again.
  void share(std::vector<std::int64_t> beginning);

  // Shows the rows of each prompt in turn, [rows, hidden] in the run's dtype on the CPU, as soon as they are
  // there. Prompts must be checked: not empty, ids within the vocabulary. Throws RunError for NaN or
  // infinity.
  using Take = std::function<void(std::size_t prompt, const at::Tensor& rows)>;
  void compute(std::span<const StreamPrompt> prompts, const Take& take);

  std::int64_t computed_tokens() const { return computed_; }

 private:
  std::size_t chunk() const { return static_cast<std::size_t>(chunk_); }
  void make_room(std::span<const StreamPrompt> prompts);
  void compute_beginning();
  std::int64_t shared_tokens(const StreamPrompt& prompt) const;
  void forward(Batch& batch);

  const Decoder& decoder_;
  std::int64_t depth_;      // blocks to run
  std::int64_t chunk_;      // tokens in a pass
  std::int64_t pages_ = 0;  // of the cache
  RowCapture capture_;
  std::optional<KvCache> cache_;
  std::vector<std::int64_t> beginning_;
  KvSequence beginning_kv_;
  std::int64_t computed_ = 0;
};

}  // namespace hrt
