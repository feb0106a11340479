#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrt/experiment/prompt_set.h"

namespace hrt {

class PromptWork;

// Positions in replies. A prompt's reply is the file's own (`reply`, or `reply_tokens`), else the one that
// the model generates in the run. How long that is shows only then: so prompts whose reply is too short for a
// position never stop a run, but are left out there.

// The reply that a record brings, as tokens; nothing where it brings none. Throws InputError as below.
std::optional<std::vector<std::int64_t>> given_reply(const PromptRecord& record, const TextSetup& text);

// Gives the prompts whose record has a reply that one. Text is encoded as plain text, on its own. Throws
// InputError "FILE:LINE: ...": text behind a prompt that is given as tokens.
void add_given_replies(PromptSet& set, const TextSetup& text);

// Gives every prompt that has none the reply that was generated for it.
void add_generated_replies(PromptSet& set, const PromptWork& work, const Tokenizer* tokenizer);

// Which positions in replies are missing in how many prompts, as a warning; empty where none is.
std::string missing_in_replies(const PromptSet& set);

}  // namespace hrt
