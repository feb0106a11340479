#include "hrt/experiment/replies.h"

#include "hrt/base/error.h"

namespace hrt {

JudgedReply judge_reply(const Reply& reply, const Tokenizer* tokenizer, const Judge& judge) {
  JudgedReply judged{reply, std::nullopt, {}};
  if (tokenizer == nullptr) return judged;
  judged.text = tokenizer->decode(reply.tokens, true);
  judged.verdict = judge.judge(*judged.text);
  return judged;
}

Json reply_line(const PreparedPrompt& prompt, const JudgedReply& reply) {
  return {{"id", prompt.record.id},
          {"tokens", reply.reply.tokens},
          {"stop", reply.reply.stop == StopReason::kEos ? "eos" : "length"},
          {"text", reply.text ? Json(*reply.text) : Json()},
          {"verdict", outcome_name(reply.verdict.outcome)},
          {"rule", reply.verdict.rule},
          {"first_margin", reply.reply.first_margin}};
}

ReplyStream::ReplyStream(const std::filesystem::path& file) : file_(file), out_(file, std::ios::trunc) {}

void ReplyStream::add(const Json& line) {
  out_ << to_line(line) << '\n' << std::flush;
  if (!out_) throw RunError("{}: cannot be written (disk full?)", file_.string());
}

}  // namespace hrt
