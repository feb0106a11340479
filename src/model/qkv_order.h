#pragma once

#include <cstdint>
#include <vector>

#include "hrt/model/decoder_spec.h"

namespace hrt {

// Which row of the file's q, k and v (one below the other, or fused) each column of the decoder's fused qkv
// is. The decoder has the heads of q, then those of k and v, and rotates the halves of what it rotates of a
// head: pairs of neighbours are brought apart here, in q and k alike, which changes no score. Empty: as they
// stand.
std::vector<std::int64_t> qkv_order(const DecoderSpec& spec);

}  // namespace hrt
