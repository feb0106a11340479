#include "hrt/inspect/inspect_prompt.h"

#include <fmt/format.h>

#include <algorithm>

#include "hrt/base/page.h"
#include "hrt/base/strings.h"

namespace hrt {
namespace {

Json spans_json(const TemplatedPrompt& prompt) {
  Json spans = Json::array();
  for (const ByteSpan& span : prompt.spans) spans.push_back({span.begin, span.end});
  return spans;
}

Json parts_json(const TemplatedPrompt& prompt) {
  Json parts = Json::array();
  for (const Part part : prompt.parts) parts.push_back(part_name(part));
  return parts;
}

Json index_json(const std::optional<std::int64_t>& index) { return index ? Json(*index) : Json(); }

// The token's own bytes, or the vocabulary's spelling where it has none: a BOS, prompts given as tokens.
std::string token_cell(const InspectedPrompt& inspected, const TextSetup& text, std::int64_t token) {
  const auto bytes = token_text(inspected.prompt, token);
  if (bytes && !bytes->empty()) return in_quotes(*bytes);
  const std::int64_t id = inspected.prompt.ids[static_cast<std::size_t>(token)];
  const auto piece = text.tokenizer ? text.tokenizer->piece(id) : std::nullopt;
  return piece.value_or("");
}

std::string bytes_cell(const TemplatedPrompt& prompt, std::size_t token) {
  return prompt.spans.empty() ? ""
                              : fmt::format("{}..{}", prompt.spans[token].begin, prompt.spans[token].end);
}

std::string mark_cell(const TemplatedPrompt& prompt, std::int64_t token) {
  std::vector<std::string> marks;
  if (token == prompt.t_inst) marks.push_back("t_inst");
  if (token == prompt.t_post_inst) marks.push_back("t_post_inst");
  return join(marks, ", ");
}

// Bytes of the text that are in no token: characters that the vocabulary lacks, or that it drops.
std::size_t bytes_without_token(const TemplatedPrompt& prompt) {
  std::size_t covered = 0;
  std::size_t end = 0;
  for (const ByteSpan& span : prompt.spans) {
    if (span.end > end) covered += span.end - std::max(span.begin, end);
    end = std::max(end, span.end);
  }
  return prompt.rendered ? prompt.rendered->size() - covered : 0;
}

std::vector<std::string> remarks(const TemplatedPrompt& prompt) {
  std::vector<std::string> texts;
  if (const std::size_t lost = bytes_without_token(prompt); lost > 0) {
    texts.push_back(counted(lost, "byte") + " of the text in no token");
  }
  if (!prompt.instruction) texts.push_back("the instruction has no token: no positions");
  if (prompt.straddle) texts.push_back("a token has bytes on both sides of the instruction's edge");
  if (prompt.takes_leading_space)
    texts.push_back("the first instruction token takes in the template's white space");
  if (prompt.doubled_bos) texts.push_back("the prompt begins with two BOS");
  return texts;
}

std::string position_cell(const InspectedPrompt& inspected, const TextSetup& text,
                          const std::optional<std::int64_t>& token) {
  return token ? fmt::format("{} {}", *token, token_cell(inspected, text, *token)) : "-";
}

std::string short_remarks(const TemplatedPrompt& prompt) {
  std::vector<std::string> words;
  if (prompt.straddle) words.push_back("straddle");
  if (prompt.doubled_bos) words.push_back("two BOS");
  return join(words, ", ");
}

std::string template_line(const TextSetup& text) {
  return fmt::format("{} - {}", text.chat.name(), text.reason);
}

}  // namespace

InspectedPrompt inspect_prompt(const PromptRecord& record, const TextSetup& text) {
  return {record.id, template_record(record, text)};
}

Json prompt_json(const InspectedPrompt& inspected) {
  const TemplatedPrompt& prompt = inspected.prompt;
  return {
      {"id", inspected.id},
      {"rendered", prompt.rendered ? Json(*prompt.rendered) : Json()},
      {"token_ids", prompt.ids},
      {"spans", prompt.rendered ? spans_json(prompt) : Json()},
      {"parts", parts_json(prompt)},
      {"positions", {{"t_inst", index_json(prompt.t_inst)}, {"t_post_inst", index_json(prompt.t_post_inst)}}},
      {"straddle", prompt.straddle},
      {"takes_leading_space", prompt.takes_leading_space},
      {"doubled_bos", prompt.doubled_bos}};
}

std::string token_page(const InspectedPrompt& inspected, const TextSetup& text) {
  const TemplatedPrompt& prompt = inspected.prompt;
  Page page(fmt::format("{}: {}", inspected.id, counted(prompt.ids.size(), "token")));
  page.add("template", template_line(text));
  for (const std::string& remark : remarks(prompt)) page.add("note", remark);
  using enum Table::Align;
  Table table({{"#", kRight}, {"id", kRight}, {"bytes"}, {"part"}, {"position"}, {"text"}});
  for (std::size_t i = 0; i < prompt.ids.size(); ++i) {
    const auto token = static_cast<std::int64_t>(i);
    table.add({fmt::format("{}", i), fmt::format("{}", prompt.ids[i]), bytes_cell(prompt, i),
               std::string(part_name(prompt.parts[i])), mark_cell(prompt, token),
               token_cell(inspected, text, token)});
  }
  return page.text() + "\n" + table.text();
}

std::string prompts_page(const std::vector<InspectedPrompt>& prompts, const TextSetup& text) {
  using enum Table::Align;
  Table table(
      {{"id", kLeft, 28}, {"tokens", kRight}, {"t_inst", kLeft, 24}, {"t_post_inst", kLeft, 24}, {""}});
  std::size_t straddles = 0;
  std::size_t without = 0;
  for (const InspectedPrompt& inspected : prompts) {
    const TemplatedPrompt& prompt = inspected.prompt;
    straddles += prompt.straddle;
    without += !prompt.instruction;
    table.add({inspected.id, fmt::format("{}", prompt.ids.size()),
               position_cell(inspected, text, prompt.t_inst),
               position_cell(inspected, text, prompt.t_post_inst), short_remarks(prompt)});
  }
  Page page(counted(prompts.size(), "prompt"));
  page.add("template", template_line(text));
  if (straddles > 0)
    page.add("note", counted(straddles, "prompt") + ": a token on both sides of the instruction's edge");
  if (without > 0) page.add("note", counted(without, "prompt") + ": no instruction token, so no positions");
  return page.text() + "\n" + table.text();
}

}  // namespace hrt
