#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "hrt/base/random.h"
#include "hrt/model/hooks.h"
#include "hrt/model/kv_cache.h"

namespace hrt {

// One prompt, or a prefix that several share, on its way through the decoder.
struct Sequence {
  std::int64_t number = 0;  // the job's index, or kSharedPrefix
  std::span<const std::int64_t> prompt;
  KvSequence kv;  // length: tokens put into a batch so far
  std::int64_t next_token = 0;
  std::optional<std::int64_t> sampled = {};  // the token that was drawn last, where replies are sampled
  Random random{0};

  bool in_prompt() const { return kv.length < static_cast<std::int64_t>(prompt.size()); }
  // What is next to be computed, at most `limit` prompt tokens.
  std::span<const std::int64_t> next(std::int64_t limit) const {
    if (!in_prompt()) return {&next_token, 1};
    const auto rest = prompt.subspan(static_cast<std::size_t>(kv.length));
    return rest.first(std::min(rest.size(), static_cast<std::size_t>(limit)));
  }
  // RoPE `dynamic` scales a prompt for its whole length, then for each new token anew, as transformers does.
  std::int64_t rope_length() const {
    return std::max(static_cast<std::int64_t>(prompt.size()), kv.length + 1);
  }
};

}  // namespace hrt
