#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "aligned_text.h"
#include "hrt/base/json.h"

namespace hrt {

// Rewrites text before it is split.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual AlignedText apply(AlignedText text) const = 0;
  virtual std::string_view name() const = 0;
};

using Normalizers = std::vector<std::unique_ptr<Normalizer>>;

// tokenizer.json's "normalizer": NFC, Prepend, Replace (of a string), Sequence. Throws InputError for others.
Normalizers read_normalizers(const JsonObject& file);

AlignedText normalize(const Normalizers& steps, AlignedText text);

}  // namespace hrt
