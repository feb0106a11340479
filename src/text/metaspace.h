#pragma once

#include <memory>
#include <string>

#include "pre_tokenizer.h"

namespace hrt {

// Which pieces of text get a replacement in front: all, the one at the beginning of the input, or none.
enum class PrependScheme { kAlways, kFirst, kNever };

// Writes spaces as `replacement`, puts one in front of pieces that begin with none, and cuts before each if
// `split`.
std::unique_ptr<PreTokenizer> metaspace_pre_tokenizer(std::string replacement, PrependScheme scheme,
                                                      bool split);

}  // namespace hrt
