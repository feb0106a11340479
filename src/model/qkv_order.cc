#include "qkv_order.h"

namespace hrt {
namespace {

// Where in its head the file has dimension `i` of the decoder's.
std::int64_t stored_dimension(const DecoderSpec& spec, std::int64_t i) {
  const std::int64_t half = spec.rotary_dim / 2;
  if (!spec.rotates_neighbours || i >= 2 * half) return i;
  return i < half ? 2 * i : 2 * (i - half) + 1;
}

}  // namespace

std::vector<std::int64_t> qkv_order(const DecoderSpec& spec) {
  std::vector<std::int64_t> order;
  if (!spec.rotates_neighbours && !spec.qkv_by_head) return order;
  std::int64_t first_head = 0;  // of this part, in the file
  for (const int part : {0, 1, 2}) {
    const std::int64_t heads = part == 0 ? spec.heads : spec.kv_heads;
    for (std::int64_t head = 0; head < heads; ++head) {
      const std::int64_t stored = spec.qkv_by_head ? 3 * head + part : first_head + head;
      for (std::int64_t i = 0; i < spec.head_dim; ++i) {
        order.push_back(stored * spec.head_dim + (part == 2 ? i : stored_dimension(spec, i)));
      }
    }
    first_head += heads;
  }
  return order;
}

}  // namespace hrt
