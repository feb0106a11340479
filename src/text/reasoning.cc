#include "reasoning.h"

#include <algorithm>
#include <string_view>

namespace hrt {
namespace {

constexpr std::string_view kOpen = "<think>";
constexpr std::string_view kClose = "</think>";

std::string_view strip_lines(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of('\n'), text.size());
  return text.substr(begin, text.find_last_not_of('\n') + 1 - begin);
}

std::string_view lstrip_lines(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of('\n'), text.size()));
}

std::string_view after_reasoning(std::string_view text) {
  const std::size_t close = text.rfind(kClose);
  return close == std::string_view::npos ? text : text.substr(close + kClose.size());
}

// What stands before the first </think>, without what stands before its <think>.
std::string_view reasoning_of(std::string_view text) {
  const std::size_t close = text.find(kClose);
  if (close == std::string_view::npos) return {};
  const std::string_view before = text.substr(0, close);
  const std::size_t open = before.rfind(kOpen);
  return strip_lines(open == std::string_view::npos ? before : before.substr(open + kOpen.size()));
}

// The result of a tool stands in a user turn, but is no query.
bool is_query(const Message& message) {
  return message.role == "user" &&
         !(message.content.starts_with("<tool_response>") && message.content.ends_with("</tool_response>"));
}

std::size_t last_query(const std::vector<Message>& messages) {
  const auto found = std::find_if(messages.rbegin(), messages.rend(), is_query);
  return found == messages.rend() ? messages.size() - 1
                                  : static_cast<std::size_t>(messages.rend() - found) - 1;
}

}  // namespace

std::map<std::size_t, std::string> take_reasoning(std::vector<Message>& messages, Reasoning mode) {
  std::map<std::size_t, std::string> blocks;
  if (mode == Reasoning::kKept) return blocks;
  for (std::size_t index = 0; index < messages.size(); ++index) {
    if (messages[index].role != "assistant") continue;
    const std::string content = messages[index].content;
    messages[index].content = after_reasoning(content);
    if (mode == Reasoning::kDropped) continue;
    const std::string_view reasoning = reasoning_of(content);
    const bool is_final = index + 1 == messages.size() || !reasoning.empty();
    const bool has_block = is_final && index > last_query(messages);
    if (has_block) blocks[index] = reasoning;
    if (has_block || content.find(kClose) != std::string::npos)
      messages[index].content = lstrip_lines(after_reasoning(content));
  }
  return blocks;
}

}  // namespace hrt
