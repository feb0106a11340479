#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "hrt/text/chat_template.h"

namespace hrt {

// Takes the reasoning out of the assistant's texts, as the template does. Returns, by index of the turn, the
// reasoning that is to be written in a <think> block before the text.
std::map<std::size_t, std::string> take_reasoning(std::vector<Message>& messages, Reasoning mode);

}  // namespace hrt
