#include "hrt/experiment/replies.h"

#include "hrt/base/error.h"
#include "hrt/base/file.h"

namespace hrt {
namespace {

const char* stop_name(StopReason stop) {
  if (stop == StopReason::kNone) return "given";
  return stop == StopReason::kEos ? "eos" : "length";
}

}  // namespace

JudgedReply judge_reply(const Reply& reply, const ReplyReader& reader) {
  JudgedReply judged{reply, std::nullopt, {}};
  if (reader.tokenizer == nullptr) return judged;
  judged.text = reader.tokenizer->decode(reply.tokens, true);
  judged.verdict = reader.judge->judge(*judged.text);
  return judged;
}

JudgedReply judge_given_reply(const PreparedPrompt& prompt, const ReplyReader& reader) {
  const Reply given{.tokens = prompt.reply->ids};
  if (!prompt.record.reply) return judge_reply(given, reader);
  return {given, prompt.record.reply, reader.judge->judge(*prompt.record.reply)};
}

Json reply_line(const PreparedPrompt& prompt, const JudgedReply& reply) {
  const bool is_given = reply.reply.stop == StopReason::kNone;
  return {{"id", prompt.record.id},
          {"tokens", reply.reply.tokens},
          {"stop", stop_name(reply.reply.stop)},
          {"text", reply.text ? Json(*reply.text) : Json()},
          {"verdict", outcome_name(reply.verdict.outcome)},
          {"rule", reply.verdict.rule},
          {"first_margin", is_given ? Json() : Json(reply.reply.first_margin)}};
}

ReplyStream::ReplyStream(const std::filesystem::path& file) : file_(file), out_(file, std::ios::trunc) {}

void ReplyStream::add(const Json& line) {
  out_ << to_line(line) << '\n' << std::flush;
  if (!out_) throw RunError("{}: cannot be written (disk full?)", file_.string());
}

std::vector<std::optional<Verdict>> write_replies(RunDirectory& run, const PromptRun& prompts,
                                                  const PromptWork& work) {
  std::vector<std::optional<Verdict>> verdicts;
  AtomicFile file(run.file("replies.jsonl"));
  std::int64_t count = 0;
  for (std::size_t g = 0; g < work.group_count(); ++g) {
    for (const auto& reply : work.result(g).replies()) {
      const std::size_t i = verdicts.size();
      const PreparedPrompt& prompt = prompts.set().prompts[i];
      verdicts.emplace_back();
      if (!reply && !prompts.work().judges_given[i]) continue;
      const JudgedReply judged =
          reply ? judge_reply(*reply, prompts.reader()) : judge_given_reply(prompt, prompts.reader());
      verdicts.back() = judged.verdict;
      file.write(to_line(reply_line(prompt, judged)) + "\n");
      ++count;
    }
  }
  if (count > 0) file.commit();
  run.manifest()["counts"]["replies"] = count;
  std::filesystem::remove(run.file("replies.jsonl.partial"));
  return verdicts;
}

void write_prompts(RunDirectory& run, const PromptSet& set, const std::vector<Outcome>& outcomes) {
  AtomicFile file(run.file("prompts.jsonl"));
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    file.write(to_line(prompt_line(set.prompts[i], set.specs, outcomes[i])) + "\n");
  }
  file.commit();
}

}  // namespace hrt
