#pragma once

#include <filesystem>
#include <string>

#include "document.h"

namespace hrt {

// One page that needs nothing else: style and figures (figures/NAME.svg, as they were drawn) are in it; light
// and dark by the reader's setting. Text of others is escaped. A figure that was not drawn is its caption
// alone.
std::string html_page(const Document& document, const std::filesystem::path& figures);

}  // namespace hrt
