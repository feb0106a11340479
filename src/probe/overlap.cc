#include "overlap.h"

#include <fmt/format.h>

#include <unordered_map>

#include "hrt/base/strings.h"

namespace hrt {

std::string describe_overlap(const std::vector<ProbePrompt>& prompts, const std::vector<PromptUse>& uses) {
  std::unordered_map<std::string, std::vector<std::size_t>> by_request;  // of the centroids' prompts
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    if (uses[i].centroid && !prompts[i].request.empty()) by_request[prompts[i].request].push_back(i);
  }
  std::size_t count = 0;
  std::string example;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const auto same = by_request.find(prompts[i].request);
    if (!uses[i].scored || same == by_request.end()) continue;
    const auto other = std::ranges::find_if(same->second, [&](std::size_t c) { return c != i; });
    if (other == same->second.end()) continue;
    if (count++ == 0) example = fmt::format("{}, there {}", prompts[i].id, prompts[*other].id);
  }
  if (count == 0) return "";
  return fmt::format("{} also among those that make the centroids (such as {})",
                     counted(count, "scored prompt") + (count == 1 ? " is" : " are"),
                     escape_for_terminal(example));
}

}  // namespace hrt
