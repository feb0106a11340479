#include "hrt/text/templated_prompt.h"

#include <algorithm>

#include "hrt/base/error.h"
#include "python_strip.h"

namespace hrt {
namespace {

std::optional<std::int64_t> bos_of(const Tokenizer& tokenizer, const ChatTemplate& chat) {
  if (const auto bos = tokenizer.bos()) return bos;
  return chat.spec().bos.empty() ? std::nullopt : tokenizer.id_of(chat.spec().bos);
}

void check_written_bos(const Tokenizer& tokenizer, const ChatTemplate& chat, const Encoding& encoding) {
  const std::string& bos = chat.spec().bos;
  const auto id = tokenizer.id_of(bos);
  if (id && !encoding.ids.empty() && encoding.ids.front() == *id) return;
  throw InputError(
      "template {}: the tokenizer does not read its BOS \"{}\" as a token; give another template, or --bos "
      "never",
      chat.name(), bos);
}

// The BOS to put in front of what the text has, if any.
std::optional<std::int64_t> bos_in_front(const Tokenizer& tokenizer, const ChatTemplate& chat, BosMode mode,
                                         const Encoding& encoding) {
  if (mode == BosMode::kNever) return std::nullopt;
  if (mode == BosMode::kAuto) return chat.raw() ? tokenizer.raw_bos() : std::nullopt;
  const auto bos = bos_of(tokenizer, chat);
  if (!bos) throw InputError("--bos always: neither the tokenizer nor template {} has a BOS", chat.name());
  const bool there = !encoding.ids.empty() && encoding.ids.front() == *bos;
  return there ? std::nullopt : bos;
}

bool overlaps(const ByteSpan& span, const ByteSpan& instruction) {
  return span.begin < instruction.end && span.end > instruction.begin;
}

// The tokens with bytes of the instruction. Of a character that became several byte tokens only the last may
// have a width (sentencepiece): those before it belong to it.
std::optional<TokenRange> find_instruction(const TemplatedPrompt& prompt, std::int64_t first_token) {
  const auto begin = prompt.spans.begin() + first_token;
  const auto inside = [&](const ByteSpan& span) { return overlaps(span, prompt.instruction_bytes); };
  auto first = std::find_if(begin, prompt.spans.end(), inside);
  if (first == prompt.spans.end()) return std::nullopt;
  const auto last = std::find_if(prompt.spans.rbegin(), prompt.spans.rend(), inside).base();
  while (first != begin && std::prev(first)->empty() &&
         std::prev(first)->begin >= prompt.instruction_bytes.begin) {
    --first;
  }
  return TokenRange{first - prompt.spans.begin(), last - prompt.spans.begin()};
}

void mark_boundaries(TemplatedPrompt& prompt) {
  const std::size_t begin = prompt.instruction_bytes.begin;
  const std::size_t end = prompt.instruction_bytes.end;
  const auto inside = [&](const ByteSpan& span) { return overlaps(span, prompt.instruction_bytes); };
  const ByteSpan first =
      *std::find_if(prompt.spans.begin() + prompt.instruction->begin, prompt.spans.end(), inside);
  const ByteSpan last = prompt.spans[static_cast<std::size_t>(*prompt.t_inst)];
  if (first.begin < begin) {
    const auto taken = std::string_view(*prompt.rendered).substr(first.begin, begin - first.begin);
    (is_python_space(taken) ? prompt.takes_leading_space : prompt.straddle) = true;
  }
  if (last.end > end) prompt.straddle = true;
}

void find_positions(TemplatedPrompt& prompt, std::int64_t first_token) {
  prompt.instruction = find_instruction(prompt, first_token);
  if (!prompt.instruction) return;
  prompt.t_inst = prompt.instruction->end - 1;
  prompt.t_post_inst = static_cast<std::int64_t>(prompt.ids.size()) - 1;
  mark_boundaries(prompt);
}

// A token is what its last byte is, except that any token with bytes of the instruction is instruction.
std::vector<Part> parts_of(const TemplatedPrompt& prompt, const std::vector<Piece>& pieces,
                           std::int64_t first_token) {
  std::vector<Part> parts(prompt.ids.size(), Part::kBos);
  for (std::size_t token = static_cast<std::size_t>(first_token); token < parts.size(); ++token) {
    const ByteSpan span = prompt.spans[token];
    const std::size_t byte = span.empty() ? span.begin : span.end - 1;
    const auto piece =
        std::upper_bound(pieces.begin(), pieces.end(), byte,
                         [](std::size_t at, const Piece& other) { return at < other.span.end; });
    parts[token] = piece == pieces.end() ? pieces.back().part : piece->part;
  }
  if (prompt.instruction) {
    std::fill(parts.begin() + prompt.instruction->begin, parts.begin() + prompt.instruction->end,
              Part::kInstruction);
  }
  return parts;
}

// Whole tokens of the question: one that reaches into it belongs to what is before it.
std::optional<TokenRange> find_question(const std::vector<Part>& parts) {
  const auto first = std::ranges::find(parts, Part::kQuestion);
  if (first == parts.end()) return std::nullopt;
  const auto last =
      std::ranges::find_if_not(first, parts.end(), [](Part part) { return part == Part::kQuestion; });
  return TokenRange{first - parts.begin(), last - parts.begin()};
}

}  // namespace

BosMode parse_bos_mode(std::string_view name) {
  if (name == "auto") return BosMode::kAuto;
  if (name == "always") return BosMode::kAlways;
  if (name == "never") return BosMode::kNever;
  throw InputError("--bos {}: expected auto, always or never", name);
}

TemplatedPrompt prepare_prompt(const Tokenizer& tokenizer, const ChatTemplate& chat,
                               const std::vector<Message>& messages, const PromptOptions& options) {
  TemplateOptions chat_options = options.chat;
  chat_options.bos = options.bos != BosMode::kNever;
  RenderedPrompt rendered = chat.render(messages, chat_options);

  EncodeOptions encode_options;
  encode_options.markers = chat.markers();
  if (!options.parse_special) encode_options.plain = rendered.contents;
  Encoding encoding = tokenizer.encode(rendered.text, encode_options);
  if (chat_options.bos && !chat.spec().bos.empty()) check_written_bos(tokenizer, chat, encoding);

  TemplatedPrompt prompt;
  const auto bos = bos_in_front(tokenizer, chat, options.bos, encoding);
  if (bos) {
    prompt.doubled_bos = !encoding.ids.empty() && encoding.ids.front() == *bos;
    encoding.ids.insert(encoding.ids.begin(), *bos);
    encoding.spans.insert(encoding.spans.begin(), ByteSpan{});
  }
  prompt.rendered = std::move(rendered.text);
  prompt.ids = std::move(encoding.ids);
  prompt.spans = std::move(encoding.spans);
  prompt.instruction_bytes = rendered.instruction;
  find_positions(prompt, bos ? 1 : 0);
  prompt.parts = parts_of(prompt, rendered.pieces, bos ? 1 : 0);
  prompt.question = find_question(prompt.parts);
  const auto user =
      std::ranges::find_if(prompt.spans.begin() + (bos ? 1 : 0), prompt.spans.end(),
                           [&](const ByteSpan& span) { return span.end > rendered.user.begin; });
  prompt.user_begin = user - prompt.spans.begin();
  return prompt;
}

TemplatedPrompt prompt_from_ids(std::vector<std::int64_t> ids) {
  TemplatedPrompt prompt;
  prompt.ids = std::move(ids);
  prompt.parts.assign(prompt.ids.size(), Part::kInstruction);
  if (prompt.ids.empty()) return prompt;
  const auto count = static_cast<std::int64_t>(prompt.ids.size());
  prompt.instruction = TokenRange{0, count};
  prompt.t_inst = count - 1;
  prompt.t_post_inst = count - 1;
  return prompt;
}

std::optional<std::string> token_text(const TemplatedPrompt& prompt, std::int64_t token) {
  if (!prompt.rendered) return std::nullopt;
  const ByteSpan span = prompt.spans.at(static_cast<std::size_t>(token));
  return prompt.rendered->substr(span.begin, span.size());
}

std::vector<std::string> missing_markers(const Tokenizer& tokenizer, const ChatTemplate& chat) {
  std::vector<std::string> missing;
  for (const std::string& marker : chat.markers()) {
    if (!tokenizer.id_of(marker)) missing.push_back(marker);
  }
  return missing;
}

}  // namespace hrt
