#include "strided_view.h"

#include <algorithm>
#include <optional>

#include "malformed.h"

namespace hrt {
namespace {

constexpr std::uint64_t kLargestElement = 8;
// A view of more elements than its storage has is only legal up to here: files of a few bytes must not make
// anybody allocate much.
constexpr std::int64_t kMaxRepeated = 1 << 24;

bool negative(std::int64_t number) { return number < 0; }

bool any_negative(const std::vector<std::int64_t>& numbers) {
  return std::any_of(numbers.begin(), numbers.end(), negative);
}

// Elements between the first and the last, or nothing when that does not fit 63 bits.
std::optional<std::int64_t> span_of(const std::vector<std::int64_t>& shape,
                                    const std::vector<std::int64_t>& strides) {
  std::int64_t span = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) return 0;
    std::int64_t step = 0;
    if (__builtin_mul_overflow(shape[i] - 1, strides[i], &step) || __builtin_add_overflow(span, step, &span))
      return std::nullopt;
  }
  return span;
}

bool fits(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
          std::int64_t offset, std::int64_t elements) {
  if (shape.size() != strides.size() || shape.size() > kMaxDimensions) return false;
  if (any_negative(shape) || any_negative(strides) || negative(offset)) return false;
  const auto bytes = byte_size(shape, kLargestElement);
  const auto span = span_of(shape, strides);
  if (!bytes || !span || offset > elements || *span > elements - offset) return false;
  return static_cast<std::int64_t>(*bytes / kLargestElement) <= std::max(elements, kMaxRepeated);
}

}  // namespace

std::int64_t view_span(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
  return span_of(shape, strides).value();
}

void check_view(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                std::int64_t offset, std::int64_t elements) {
  if (fits(shape, strides, offset, elements)) return;
  throw Malformed("a view of shape {}, strides {} and offset {} does not fit a storage of {} elements",
                  sizes_text(shape), sizes_text(strides), offset, elements);
}

std::string sizes_text(const std::vector<std::int64_t>& sizes) {
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

}  // namespace hrt
