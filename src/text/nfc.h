#pragma once

#include "aligned_text.h"

namespace hrt {

// Canonical composition as the tokenizers library has it: only characters of Unicode 9.0 take part, later
// ones are left where they are.
AlignedText nfc(AlignedText text);

}  // namespace hrt
