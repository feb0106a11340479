#pragma once

#include <vector>

#include "hrt/text/chat_template.h"

namespace hrt {

// Throws InputError for what the template cannot render: an unknown role, a system text or an order of turns
// that it refuses, an unknown argument or value of one.
void check_exchange(const TemplateSpec& spec, const std::vector<Message>& messages,
                    const TemplateOptions& options);

}  // namespace hrt
