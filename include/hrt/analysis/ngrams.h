#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>

namespace hrt {

// What surface text alone can tell: which hashed words and pairs of adjacent words a text has, [texts,
// buckets] of 0 and
// 1. Words are runs of ASCII letters (in lower case), digits and non-ASCII bytes. To be fitted without
// standardizing, which would blow up rare words.
at::Tensor ngram_features(std::span<const std::string> texts, std::int64_t buckets = 8192);

}  // namespace hrt
