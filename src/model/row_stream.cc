#include "hrt/model/row_stream.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "hrt/model/memory.h"

namespace hrt {

RowStream::RowStream(const Decoder& decoder, std::vector<std::int64_t> rows)
    : decoder_(decoder),
      depth_(std::ranges::max(rows)),
      chunk_(chunk_tokens(decoder.spec(), decoder.compute_dtype())),
      capture_(std::move(rows), decoder.spec().hidden, decoder.dtype()) {}

void RowStream::share(std::vector<std::int64_t> beginning) {
  beginning_ = std::move(beginning);
  pages_ = 0;  // to be computed with the next batch
}

// One pass at a time, one prompt that is cut at its end, and the shared beginning.
void RowStream::make_room(std::span<const StreamPrompt> prompts) {
  std::int64_t longest = 0;
  for (const StreamPrompt& prompt : prompts) longest = std::max(longest, prompt.token + 1);
  const auto most_prompts = std::min(chunk_, static_cast<std::int64_t>(prompts.size()));
  const std::int64_t needed = KvCache::pages_for(chunk_) + most_prompts + KvCache::pages_for(longest) +
                              KvCache::pages_for(static_cast<std::int64_t>(beginning_.size()));
  if (needed <= pages_) return;
  pages_ = needed;
  cache_.emplace(decoder_.make_cache(pages_));
  beginning_kv_ = {};
  compute_beginning();
}

void RowStream::compute_beginning() {
  const std::span<const std::int64_t> tokens(beginning_);
  while (std::cmp_less(beginning_kv_.length, tokens.size())) {
    const auto rest = tokens.subspan(static_cast<std::size_t>(beginning_kv_.length));
    Batch batch;
    batch.add(*cache_, beginning_kv_, kSharedPrefix, rest.first(std::min(rest.size(), chunk())),
              static_cast<std::int64_t>(tokens.size()));
    forward(batch);
  }
}

// A prompt keeps its wanted token for itself, and all of itself where its rotation depends on its length.
std::int64_t RowStream::shared_tokens(const StreamPrompt& prompt) const {
  const bool own = rotates_by_length(decoder_.spec(), static_cast<std::int64_t>(prompt.tokens.size()));
  const auto limit = static_cast<std::size_t>(own ? 0 : prompt.token);
  const auto end = beginning_.begin() + static_cast<std::ptrdiff_t>(std::min(limit, beginning_.size()));
  return std::mismatch(beginning_.begin(), end, prompt.tokens.begin()).first - beginning_.begin();
}

void RowStream::forward(Batch& batch) {
  computed_ += batch.size();
  at::Tensor residual = decoder_.embed(batch);
  const Hook hook = capture_.hook();
  decoder_.run({0, depth_}, batch, *cache_, residual, {&hook, 1});
  run_hooks({&hook, 1}, {depth_, Site::kBlockInput}, batch.map(), residual);
}

void RowStream::compute(std::span<const StreamPrompt> prompts, const Take& take) {
  const c10::InferenceMode inference;
  make_room(prompts);
  std::deque<KvSequence> begun;  // of prompts from `first` on
  std::size_t first = 0;
  while (first < prompts.size()) {
    Batch batch;
    std::vector<std::int64_t> wanted;
    std::size_t ended = first;
    for (std::size_t i = first; i < prompts.size() && std::cmp_less(batch.size(), chunk_); ++i) {
      const StreamPrompt& prompt = prompts[i];
      if (begun.size() == i - first) {
        begun.push_back(cache_->fork(beginning_kv_, shared_tokens(prompt)));
        capture_.want(static_cast<std::int64_t>(i), {&prompt.token, 1});
      }
      KvSequence& kv = begun[i - first];
      const auto rest = std::span(prompt.tokens)
                            .first(static_cast<std::size_t>(prompt.token) + 1)
                            .subspan(static_cast<std::size_t>(kv.length));
      const auto room = chunk() - static_cast<std::size_t>(batch.size());
      batch.add(*cache_, kv, static_cast<std::int64_t>(i), rest.first(std::min(rest.size(), room)),
                static_cast<std::int64_t>(prompt.tokens.size()));
      if (kv.length != prompt.token + 1) break;
      wanted.push_back(batch.size() - 1);
      ended = i + 1;
    }
    batch.set_outputs(std::move(wanted));
    forward(batch);
    for (; first < ended; ++first) {
      take(first, capture_.take(static_cast<std::int64_t>(first), prompts[first].token + 1)[0]);
      cache_->release(begun.front());
      begun.pop_front();
    }
  }
}

}  // namespace hrt
