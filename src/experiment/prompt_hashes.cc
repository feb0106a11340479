#include "prompt_hashes.h"

#include <map>

#include "hrt/base/hash.h"

namespace hrt {

Json prompt_hashes(const PromptSet& set) {
  struct Running {
    std::int64_t count = 0;
    Sha256 hash;
  };
  std::map<std::string, Running> sets;
  for (const PreparedPrompt& prompt : set.prompts) {
    const Outcome outcome = prompt.record.outcome.value_or(Outcome::kUnknown);
    Running& running = sets[prompt.record.set];
    ++running.count;
    running.hash.update(to_line(prompt_line(prompt, set.specs, outcome)) + "\n");
  }
  Json hashes = Json::object();
  for (auto& [name, running] : sets)
    hashes[name] = {{"prompts", running.count}, {"sha256", running.hash.hex()}};
  return hashes;
}

}  // namespace hrt
