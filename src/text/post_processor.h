#pragma once

#include <vector>

#include "hrt/base/json.h"
#include "vocabulary.h"

namespace hrt {

// What goes around the tokens of a text (BOS, EOS).
struct PostProcessor {
  std::vector<TokenId> before;
  std::vector<TokenId> after;
};

// tokenizer.json's "post_processor": TemplateProcessing (its template for one text), ByteLevel (which trims
// offsets only; hrt never does), Sequence. Throws InputError for others.
PostProcessor read_post_processor(const JsonObject& file);

}  // namespace hrt
