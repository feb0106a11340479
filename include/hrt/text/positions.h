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
// `prompt`.
struct PositionSpec {
  enum class Anchor { kInst, kPostInst, kIndex, kInstruction, kPostInstruction, kPrompt };

  std::string name;  // as it was asked; names the tensor
  Anchor anchor = Anchor::kInst;
  std::int64_t offset = 0;  // from the anchor; for kIndex the index itself

  bool is_span() const { return anchor >= Anchor::kInstruction; }
  bool operator==(const PositionSpec&) const = default;
};

// Throws InputError: an unknown name (the nearest is offered), one asked twice, an empty list, positions of
// the reply.
PositionSpec parse_position(std::string_view name);
std::vector<PositionSpec> parse_positions(const std::vector<std::string>& names);

// The tokens at this position, never an empty range (one token unless it is a span), or nothing when the
// prompt has no such position.
std::optional<TokenRange> resolve(const PositionSpec& spec, const TemplatedPrompt& prompt);

// Whether counting back from its anchor led out of what that is part of: `t_inst-K` to before the
// instruction, `t_post_inst-K` into the instruction.
bool leaves_its_part(const PositionSpec& spec, const TemplatedPrompt& prompt);

}  // namespace hrt
