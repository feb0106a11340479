#pragma once

#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/data/prompt_file.h"
#include "hrt/experiment/prompt_set.h"

namespace hrt {

// A prompt as the model sees it. Unlike a run, inspecting refuses neither straddling tokens nor empty
// instructions.
struct InspectedPrompt {
  std::string id;
  TemplatedPrompt prompt;
};

// Throws InputError naming the record's place: what the template refuses, tokens without `raw`.
InspectedPrompt inspect_prompt(const PromptRecord& record, const TextSetup& text);

// {id, rendered, token_ids, spans, parts, positions: {t_inst, t_post_inst}, straddle, ...}: spans are [start,
// end) in UTF-8 bytes of `rendered`; both are null where the prompt was given as tokens. Positions are
// indices or null.
Json prompt_json(const InspectedPrompt& inspected);

// Every token with index, id, bytes, part and text, and the positions marked. `tokenizer` (may be null)
// spells the tokens that have no text.
std::string token_page(const InspectedPrompt& inspected, const TextSetup& text);

// One line a prompt: its length and the tokens at t_inst and t_post_inst.
std::string prompts_page(const std::vector<InspectedPrompt>& prompts, const TextSetup& text);

}  // namespace hrt
