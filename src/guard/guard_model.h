#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "hrt/data/prompt_file.h"
#include "hrt/experiment/prompt_set.h"
#include "hrt/guard/guard.h"
#include "hrt/model/checkpoint.h"
#include "hrt/model/decoder.h"
#include "hrt/model/row_stream.h"

namespace hrt {

// A prompt as far as a guard looks at it.
struct GuardPrompt {
  StreamPrompt tokens;
  std::int64_t beginning = 0;  // tokens before its instruction: what it shares with others
  std::optional<std::vector<std::int64_t>> reply = {};  // that its line brings
};

// The checkpoint that a guard was fitted to, and its text.
class GuardModel {
 public:
  // Opens the config's checkpoint, without its weights. Throws InputError where it is another model, or the
  // config asks for another template.
  GuardModel(const Guard& guard, const Json& config);

  // The decoder, with its weights.
  Decoder load() const;
  // Throws InputError: an empty instruction, a straddling token, a prompt that is too long, ids outside the
  // vocabulary.
  GuardPrompt prepare(const PromptRecord& record) const;
  // Throws InputError where prompt and `new_tokens` are more than the model takes.
  void check_length(const GuardPrompt& prompt, std::int64_t new_tokens, const PromptRecord& record) const;

  std::vector<std::int64_t> stop_tokens() const { return text_.stop_tokens(checkpoint_); }
  // Null without a tokenizer.
  const Tokenizer* tokenizer() const { return text_.tokenizer.get(); }

 private:
  const Guard& guard_;
  Checkpoint checkpoint_;
  TextSetup text_;
  at::Device device_;
  at::ScalarType dtype_;
};

}  // namespace hrt
