#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hrt/base/json.h"
#include "hrt/data/prompt_file.h"
#include "hrt/model/checkpoint.h"
#include "hrt/text/positions.h"
#include "hrt/text/templated_prompt.h"
#include "hrt/text/tokenizer.h"

namespace hrt {

// The tokenizer and template that turn a checkpoint's prompts into tokens.
struct TextSetup {
  std::unique_ptr<Tokenizer> tokenizer;  // null: every prompt comes as tokens
  ChatTemplate chat{TemplateSpec{}};
  Json template_content;                     // of a template file; null: a built-in one
  std::string reason;                        // why this template
  std::map<std::string, std::string> clock;  // arguments of the template that the clock gave, when asked for
  std::optional<std::string> disagreement;   // the checkpoint's own template is another one
  PromptOptions options;

  // Stop tokens of the template, as ids.
  std::vector<std::int64_t> end_of_turn() const;
  // All tokens that end a reply: these, and what the checkpoint says.
  std::vector<std::int64_t> stop_tokens(const Checkpoint& checkpoint) const;
};

// `needs_text`: some prompt is text, so that a tokenizer must be there. The config may hold a template file's
// content as `template_content`; `template` is its name then. Throws InputError.
TextSetup open_text(const Json& config, const std::filesystem::path& model, bool needs_text);

// One record through the template. Throws InputError "FILE:LINE: ...".
TemplatedPrompt template_record(const PromptRecord& record, const TextSetup& text);

// A reply as the model sees it.
struct PreparedReply {
  std::vector<std::int64_t> ids;
  // Of tokens at asked positions, where there is a tokenizer; counted on from the prompt's tokens.
  std::map<std::int64_t, std::string> texts;
};

// A record as the model sees it. `positions[i]` are the tokens of the i-th asked position, or nothing.
struct PreparedPrompt {
  PromptRecord record;
  TemplatedPrompt prompt;
  std::vector<std::optional<TokenRange>> positions = {};
  // Only where positions in it are asked for: the file's own; once it is generated, the model's.
  std::optional<PreparedReply> reply = {};
};

// All prompts of a run, templated, with every position proved.
struct PromptSet {
  std::vector<PositionSpec> specs;
  std::vector<PreparedPrompt> prompts;
  std::int64_t kept_straddles = 0;
  std::int64_t skipped_straddles = 0;
  std::int64_t leading_spaces = 0;  // the first instruction token takes in the template's white space

  bool has(Label label) const;
  // Whether positions in replies are asked for.
  bool asks_for_replies() const;
  // Index of the position named so among `specs`, if it was asked for.
  std::optional<std::size_t> position(std::string_view name) const;
};

struct PromptLimits {
  std::int64_t vocabulary = 0;
  std::int64_t max_tokens = 0;      // prompt and new tokens together
  std::int64_t max_new_tokens = 0;  // 0: no replies
};

// Templates every record and checks all of them before anything is computed: empty instructions, straddling
// tokens, missing positions (but for those in replies, whose length nobody knows yet), ids outside the
// vocabulary, prompts too long. Throws InputError with the number of prompts concerned and the first of them.
PromptSet prepare_prompts(std::vector<PromptRecord> records, const TextSetup& text, const Json& config,
                          const PromptLimits& limits);

// One line of prompts.jsonl.
Json prompt_line(const PreparedPrompt& prompt, const std::vector<PositionSpec>& specs, Outcome outcome);

}  // namespace hrt
