#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrt/text/templated_prompt.h"

namespace hrt {

// A position or a span of positions in a prompt, by name: `t_inst`, `t_post_inst`, `t_inst+K`, `t_inst-K`,
// `t_post_inst-K`, an index (negative from the end), or the spans `instruction`, `post_instruction`,
// `prompt`. In the reply to it: `t_resp` (its first token), `t_resp+K`, and the span `response`.
struct PositionSpec {
  enum class Anchor { kInst, kPostInst, kIndex, kReply, kInstruction, kPostInstruction, kPrompt, kResponse };

  std::string name;  // as it was asked; names the tensor
  Anchor anchor = Anchor::kInst;
  std::int64_t offset = 0;  // from the anchor; for kIndex the index itself

  bool is_span() const { return anchor >= Anchor::kInstruction; }
  bool in_reply() const { return anchor == Anchor::kReply || anchor == Anchor::kResponse; }
  bool operator==(const PositionSpec&) const = default;
};

// Throws InputError: an unknown name (the nearest is offered), one asked twice, an empty list.
PositionSpec parse_position(std::string_view name);
std::vector<PositionSpec> parse_positions(const std::vector<std::string>& names);

// The tokens at this position, never an empty range (one token unless it is a span), or nothing when the
// prompt has no such position. The reply's tokens, `reply` of them, count on from the prompt's.
std::optional<TokenRange> resolve(const PositionSpec& spec, const TemplatedPrompt& prompt,
                                  std::int64_t reply = 0);
// The same of each spec.
std::vector<std::optional<TokenRange>> resolve(const std::vector<PositionSpec>& specs,
                                               const TemplatedPrompt& prompt, std::int64_t reply = 0);

// Whether counting back from its anchor led out of what that is part of: `t_inst-K` to before the
// instruction, `t_post_inst-K` into the instruction.
bool leaves_its_part(const PositionSpec& spec, const TemplatedPrompt& prompt);

}  // namespace hrt
