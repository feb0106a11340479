#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "hrt/experiment/prompt_run.h"
#include "hrt/steer/select_work.h"

namespace hrt {

// The tokens that every prompt has behind its instruction. Throws InputError where there is none.
std::int64_t post_instruction_tokens(const PromptSet& set);

// "-N", ..., "-1".
std::vector<std::string> candidate_positions(std::int64_t tokens);

// The first tokens of these texts, with and without a space before them, ascending. Tokens that spell only
// white space tell nothing and are left out. Throws InputError where a text has no other.
std::vector<std::int64_t> refusal_tokens(const Tokenizer& tokenizer, const std::vector<std::string>& texts);

// The prompts that count: all of them, or, filtered, only harmful ones that the model means to refuse (a
// refusal score above 0) and harmless ones that it does not (below 0), as the released pipeline takes them.
// Throws CheckError where a label is left without any.
std::vector<bool> counted_prompts(const PromptSet& set, const std::vector<double>& scores, bool filtered);

// mean(harmful) - mean(harmless) over the prompts that count, at each position of a complete extraction and
// each of its rows; layer by layer. Accumulated in float64.
std::vector<CandidateVector> make_candidates(const std::filesystem::path& run, const PromptRun& extraction,
                                             const std::vector<bool>& counted);

// By prompt of a complete extraction with logits.
std::vector<double> extraction_scores(const std::filesystem::path& run,
                                      const std::vector<std::int64_t>& refusal_tokens);

}  // namespace hrt
