#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hrt/base/json.h"

namespace hrt {

// One of N jobs that share a run's prompts: contiguous blocks of the concatenated input, whose sizes differ
// by at most one. `hrt merge` makes one run of all of them.
struct Shard {
  std::int64_t index = 0;  // from 0
  std::int64_t count = 1;

  std::int64_t begin(std::int64_t prompts) const { return prompts * index / count; }
  std::int64_t end(std::int64_t prompts) const { return prompts * (index + 1) / count; }
};

// "I/N". Throws InputError.
Shard parse_shard(const std::string& text);

// What a resolved config asks for; nothing: all prompts.
std::optional<Shard> shard_of(const Json& config);

}  // namespace hrt
