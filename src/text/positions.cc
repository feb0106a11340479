#include "hrt/text/positions.h"

#include <algorithm>
#include <charconv>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

using Anchor = PositionSpec::Anchor;

struct Name {
  std::string_view name;
  Anchor anchor;
};

constexpr Name kTokens[] = {
    {"t_inst", Anchor::kInst}, {"t_post_inst", Anchor::kPostInst}, {"t_resp", Anchor::kReply}};
constexpr Name kSpans[] = {{"instruction", Anchor::kInstruction},
                           {"post_instruction", Anchor::kPostInstruction},
                           {"prompt", Anchor::kPrompt},
                           {"response", Anchor::kResponse}};
// Far beyond any context; keeps sums of positions from overflowing.
constexpr std::int64_t kMaxOffset = 1'000'000'000;

std::optional<std::int64_t> parse_digits(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  const bool digits = !text.empty() && text.front() != '-' && error == std::errc() && rest == end;
  return digits && value <= kMaxOffset ? std::optional(value) : std::nullopt;
}

// "+K" or "-K".
std::optional<std::int64_t> parse_offset(std::string_view text) {
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const auto value = parse_digits(text.substr(1));
  return value && text.front() == '-' ? std::optional(-*value) : value;
}

// Nothing in the prompt follows t_post_inst, and nothing in the reply lies before its first token.
bool may_count(Anchor anchor, std::int64_t offset) {
  return anchor == Anchor::kInst || (anchor == Anchor::kReply ? offset >= 0 : offset <= 0);
}

std::optional<PositionSpec> parse_token(std::string_view text) {
  for (const Name& token : kTokens) {
    if (text == token.name) return PositionSpec{std::string(text), token.anchor, 0};
    if (!text.starts_with(token.name)) continue;
    const auto offset = parse_offset(text.substr(token.name.size()));
    if (offset && may_count(token.anchor, *offset)) {
      return PositionSpec{std::string(text), token.anchor, *offset};
    }
  }
  return std::nullopt;
}

std::optional<PositionSpec> parse_index(std::string_view text) {
  const auto index = text.starts_with('-') ? parse_offset(text) : parse_digits(text);
  return index ? std::optional(PositionSpec{std::string(text), Anchor::kIndex, *index}) : std::nullopt;
}

std::optional<PositionSpec> parse_span(std::string_view text) {
  for (const Name& span : kSpans) {
    if (text == span.name) return PositionSpec{std::string(text), span.anchor, 0};
  }
  return std::nullopt;
}

[[noreturn]] void refuse(std::string_view text) {
  std::vector<std::string> known;
  for (const Name& token : kTokens) known.emplace_back(token.name);
  for (const Name& span : kSpans) known.emplace_back(span.name);
  throw InputError(
      "unknown position \"{}\"{} (expected t_inst, t_post_inst, t_inst+K, t_inst-K, t_post_inst-K, t_resp+K, "
      "an "
      "index, instruction, post_instruction, prompt or response)",
      text, did_you_mean(text, known));
}

std::optional<TokenRange> one_token(std::optional<std::int64_t> anchor, std::int64_t offset,
                                    std::int64_t count) {
  if (!anchor) return std::nullopt;
  const std::int64_t token = *anchor + offset;
  return token >= 0 && token < count ? std::optional(TokenRange{token, token + 1}) : std::nullopt;
}

std::optional<TokenRange> unless_empty(TokenRange range) {
  return range.size() > 0 ? std::optional(range) : std::nullopt;
}

}  // namespace

PositionSpec parse_position(std::string_view name) {
  if (const auto token = parse_token(name)) return *token;
  if (const auto index = parse_index(name)) return *index;
  if (const auto span = parse_span(name)) return *span;
  refuse(name);
}

std::vector<PositionSpec> parse_positions(const std::vector<std::string>& names) {
  if (names.empty()) throw InputError("positions: expected at least one");
  std::vector<PositionSpec> specs;
  for (const std::string& name : names) {
    specs.push_back(parse_position(name));
    if (std::count(names.begin(), names.end(), name) > 1) {
      throw InputError("position \"{}\" is asked twice", name);
    }
  }
  return specs;
}

std::optional<TokenRange> resolve(const PositionSpec& spec, const TemplatedPrompt& prompt,
                                  std::int64_t reply) {
  const auto count = static_cast<std::int64_t>(prompt.ids.size());
  switch (spec.anchor) {
    case Anchor::kInst:
      return one_token(prompt.t_inst, spec.offset, count);
    case Anchor::kPostInst:
      return one_token(prompt.t_post_inst, spec.offset, count);
    case Anchor::kIndex:
      return one_token(spec.name.starts_with('-') ? count : 0, spec.offset, count);
    case Anchor::kReply:
      return one_token(count, spec.offset, count + reply);
    case Anchor::kInstruction:
      return prompt.instruction;
    case Anchor::kPostInstruction:
      return prompt.instruction ? unless_empty({prompt.instruction->end, count}) : std::nullopt;
    case Anchor::kPrompt:
      return unless_empty({0, count});
    case Anchor::kResponse:
      return unless_empty({count, count + reply});
  }
  return std::nullopt;
}

std::vector<std::optional<TokenRange>> resolve(const std::vector<PositionSpec>& specs,
                                               const TemplatedPrompt& prompt, std::int64_t reply) {
  std::vector<std::optional<TokenRange>> ranges;
  for (const PositionSpec& spec : specs) ranges.push_back(resolve(spec, prompt, reply));
  return ranges;
}

bool leaves_its_part(const PositionSpec& spec, const TemplatedPrompt& prompt) {
  if (!prompt.instruction) return false;
  if (spec.anchor == Anchor::kInst) return *prompt.t_inst + spec.offset < prompt.instruction->begin;
  const bool something_follows = *prompt.t_post_inst > *prompt.t_inst;
  return spec.anchor == Anchor::kPostInst && something_follows &&
         *prompt.t_post_inst + spec.offset <= *prompt.t_inst;
}

}  // namespace hrt
