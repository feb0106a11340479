#pragma once

#include <memory>

#include "pre_tokenizer.h"

namespace hrt {

// Writes every byte as its character of the byte alphabet, after a split by GPT-2's own expression if
// `use_regex`, which is in no file. `add_prefix_space`: a space goes before each piece that begins with none.
std::unique_ptr<PreTokenizer> byte_level_pre_tokenizer(bool add_prefix_space, bool use_regex);

}  // namespace hrt
