#include "prompt_proof.h"

namespace hrt {

Json sample_proof(const PromptSet& set) {
  if (set.prompts.empty()) return nullptr;
  const PreparedPrompt& prompt = set.prompts.front();
  Json proof = prompt_line(prompt, set.specs, Outcome::kUnknown);
  Json texts = Json::array();
  Json parts = Json::array();
  for (std::size_t i = 0; i < prompt.prompt.ids.size(); ++i) {
    const auto text = token_text(prompt.prompt, static_cast<std::int64_t>(i));
    texts.push_back(text ? Json(*text) : Json());
    parts.push_back(part_name(prompt.prompt.parts[i]));
  }
  return {{"id", prompt.record.id},
          {"rendered", prompt.prompt.rendered ? Json(*prompt.prompt.rendered) : Json()},
          {"tokens", prompt.prompt.ids},
          {"texts", std::move(texts)},
          {"parts", std::move(parts)},
          {"positions", proof.at("positions")}};
}

}  // namespace hrt
