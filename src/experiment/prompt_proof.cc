#include "prompt_proof.h"

namespace hrt {

Json sample_proof(const PromptSet& set) {
  if (set.prompts.empty()) return nullptr;
  const PreparedPrompt& prompt = set.prompts.front();
  Json proof = prompt_line(prompt, set.specs, Outcome::kUnknown);
  return {{"id", prompt.record.id},
          {"rendered", prompt.prompt.rendered ? Json(*prompt.prompt.rendered) : Json()},
          {"tokens", prompt.prompt.ids},
          {"positions", proof.at("positions")}};
}

}  // namespace hrt
