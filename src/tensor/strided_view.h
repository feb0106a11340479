#pragma once

#include <cstdint>
#include <string>

#include "hrt/tensor/tensor_layout.h"

namespace hrt {

constexpr std::size_t kMaxDimensions = 16;

// Elements between the first and the last of a view, both included; 0 when it has none. The view must have
// passed check_view.
std::int64_t view_span(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides);

// Throws Malformed unless all elements of the view, which begins at element `offset`, lie in a storage of
// `elements`, and no size, stride or product is one that code behind this could overflow with. A view may
// repeat elements (stride 0), but not without bound.
void check_view(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                std::int64_t offset, std::int64_t elements);

// "[2, 3]"
std::string sizes_text(const std::vector<std::int64_t>& sizes);

}  // namespace hrt
