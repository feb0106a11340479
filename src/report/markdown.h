#pragma once

#include <string>

#include "document.h"

namespace hrt {

// The same report as Markdown that names figures/NAME.svg, without what is shown only when asked for
// (replies, receipts, manifest).
std::string markdown_page(const Document& document);

}  // namespace hrt
