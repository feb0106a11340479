#include "hrt/experiment/reply_positions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "hrt/base/error.h"
#include "hrt/base/strings.h"
#include "hrt/experiment/prompt_work.h"

namespace hrt {
namespace {

// What a token adds to the text before it: alone, some tokenizers would drop a space at its beginning.
std::string text_behind(const Tokenizer& tokenizer, std::int64_t before, std::int64_t id) {
  const std::string first = tokenizer.decode(std::array{before}, false);
  const std::string both = tokenizer.decode(std::array{before, id}, false);
  return both.starts_with(first) ? both.substr(first.size()) : tokenizer.decode(std::array{id}, false);
}

void set_reply(PreparedPrompt& prompt, const std::vector<PositionSpec>& specs, std::vector<std::int64_t> ids,
               const Tokenizer* tokenizer) {
  const auto length = static_cast<std::int64_t>(prompt.prompt.ids.size());
  prompt.positions = resolve(specs, prompt.prompt, static_cast<std::int64_t>(ids.size()));
  PreparedReply& reply = prompt.reply.emplace(PreparedReply{std::move(ids), {}});
  for (std::size_t i = 0; tokenizer != nullptr && i < specs.size(); ++i) {
    if (!specs[i].in_reply() || specs[i].is_span() || !prompt.positions[i]) continue;
    const std::int64_t token = prompt.positions[i]->begin;
    const auto k = static_cast<std::size_t>(token - length);
    const std::int64_t before = k == 0 ? prompt.prompt.ids.back() : reply.ids[k - 1];
    reply.texts[token] = text_behind(*tokenizer, before, reply.ids[k]);
  }
}

}  // namespace

std::optional<std::vector<std::int64_t>> given_reply(const PromptRecord& record, const TextSetup& text) {
  if (record.reply_tokens) return record.reply_tokens;
  if (!record.reply) return std::nullopt;
  if (!record.tokens.empty()) {
    throw InputError("{}: a prompt given as tokens needs its reply as \"reply_tokens\", not as text",
                     place_of(record));
  }
  EncodeOptions options;
  options.markers = text.chat.markers();
  options.plain = {{0, record.reply->size()}};
  return text.tokenizer->encode(*record.reply, options).ids;
}

void add_given_replies(PromptSet& set, const TextSetup& text) {
  for (PreparedPrompt& prompt : set.prompts) {
    auto ids = given_reply(prompt.record, text);
    if (ids) set_reply(prompt, set.specs, std::move(*ids), text.tokenizer.get());
  }
}

void add_generated_replies(PromptSet& set, const PromptWork& work, const Tokenizer* tokenizer) {
  auto prompt = set.prompts.begin();
  for (std::size_t g = 0; g < work.group_count(); ++g) {
    for (auto& reply : work.result(g).replies()) {
      if (reply) set_reply(*prompt, set.specs, std::move(reply->tokens), tokenizer);
      ++prompt;
    }
  }
}

std::string missing_in_replies(const PromptSet& set) {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < set.specs.size(); ++i) {
    if (!set.specs[i].in_reply()) continue;
    const auto count = static_cast<std::size_t>(
        std::ranges::count_if(set.prompts, [i](const PreparedPrompt& p) { return !p.positions[i]; }));
    if (count > 0) missing.push_back(fmt::format("{} in {}", set.specs[i].name, counted(count, "prompt")));
  }
  if (missing.empty()) return "";
  return fmt::format("replies too short for a position, which are left out there: {}", join(missing, ", "));
}

}  // namespace hrt
