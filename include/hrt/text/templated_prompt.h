#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/text/chat_template.h"
#include "hrt/text/tokenizer.h"

namespace hrt {

// [begin, end) in tokens of a prompt.
struct TokenRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  bool operator==(const TokenRange&) const = default;
};

enum class BosMode {
  kAuto,    // as the template's text has it; raw: as the tokenizer says
  kAlways,  // one in front, unless the prompt begins with it anyway
  kNever,
};
BosMode parse_bos_mode(std::string_view name);

struct PromptOptions {
  TemplateOptions chat = {};
  BosMode bos = BosMode::kAuto;
  // Markers inside the messages' texts become special tokens, as in transformers; else they are plain text.
  bool parse_special = false;
};

// A prompt as the model sees it, with the proof of where its positions are.
struct TemplatedPrompt {
  std::optional<std::string> rendered;  // nothing when the prompt was given as ids
  std::vector<std::int64_t> ids;
  std::vector<ByteSpan>
      spans;                // [tokens], bytes of `rendered`; [0,0) for a BOS without text; empty without text
  std::vector<Part> parts;  // [tokens]
  ByteSpan instruction_bytes;

  // Nothing when the instruction has no token: then t_inst and t_post_inst are absent, too.
  std::optional<TokenRange> instruction;
  std::optional<std::int64_t> t_inst;
  std::optional<std::int64_t> t_post_inst;  // the last token of the whole prompt
  std::optional<TokenRange> question;       // with a frame
  std::int64_t user_begin = 0;              // the first token with bytes of the last user turn's text

  // A token has bytes on both sides of the instruction's end (it is then t_inst and counts as instruction),
  // or of its start, where it takes in more than white space of the template.
  bool straddle = false;
  // The first instruction token begins with white space of the template ("▁How" after "[INST] ").
  bool takes_leading_space = false;
  // The prompt begins with two BOS in a row (only raw text that spells one, with parse_special).
  bool doubled_bos = false;
};

// Throws InputError: what render() throws; a BOS that the template writes or that is asked for and that the
// vocabulary lacks.
TemplatedPrompt prepare_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat,
                               const std::vector<Message>& messages, const PromptOptions& options = {});

// A prompt given as ids: raw, all of it instruction, without text.
TemplatedPrompt prompt_from_ids(std::vector<std::int64_t> ids);

// The text of one token; nothing without text.
std::optional<std::string> token_text(const TemplatedPrompt& prompt, std::int64_t token);

// Markers of the template that are no token of this vocabulary.
std::vector<std::string> missing_markers(const Tokenizer& tokenizer, const ChatTemplate& chat);

}  // namespace hrt
