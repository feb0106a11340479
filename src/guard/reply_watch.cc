#include "reply_watch.h"

#include <algorithm>
#include <numeric>

namespace hrt {

ReplyWatch::ReplyWatch(const GuardModel& model, const Decoder& decoder, const Guard& guard,
                       std::int64_t max_new_tokens)
    : model_(model), decoder_(decoder), scorer_(guard), max_new_tokens_(max_new_tokens) {
  options_.rows = guard.rows;
  options_.stop_tokens = model.stop_tokens();
}

Job ReplyWatch::job_of(const GuardPrompt& prompt) const {
  Job job{.tokens = prompt.tokens.tokens};
  const std::int64_t begin = std::ssize(job.tokens);
  const std::int64_t length = prompt.reply ? std::ssize(*prompt.reply) : max_new_tokens_;
  job.capture.resize(static_cast<std::size_t>(length) + 1);
  job.capture.front() = prompt.tokens.token;
  std::iota(job.capture.begin() + 1, job.capture.end(), begin);
  if (prompt.reply) {
    job.tokens.insert(job.tokens.end(), prompt.reply->begin(), prompt.reply->end());
  } else {
    job.max_new_tokens = max_new_tokens_;
  }
  return job;
}

Json ReplyWatch::watch_json(const GuardPrompt& prompt, const JobResult& result) const {
  const std::vector<std::int64_t>& tokens = prompt.reply ? *prompt.reply : result.reply;
  Json deltas = Json::array();
  Json first_above;  // null: none
  for (std::int64_t i = 1; i < result.rows.size(0); ++i) {
    const auto verdict = scorer_.judge(result.rows[i]);
    deltas.push_back(verdict ? Json(verdict->delta) : Json());
    if (first_above.is_null() && verdict && verdict->harmful) first_above = i - 1;
  }
  const bool text = model_.tokenizer() != nullptr;
  return {{"reply", text ? Json(model_.tokenizer()->decode(tokens, true)) : Json()},
          {"reply_from", prompt.reply ? "line" : "model"},
          {"reply_delta_harmful", std::move(deltas)},
          {"reply_first_above", std::move(first_above)}};
}

void ReplyWatch::compute(std::span<const GuardPrompt> prompts, const Take& take) {
  std::vector<Job> jobs;
  for (const GuardPrompt& prompt : prompts) jobs.push_back(job_of(prompt));
  EngineStats stats;
  const std::vector<JobResult> results = run_jobs(decoder_, jobs, options_, {}, {}, &stats);
  work_.prompt_tokens += stats.prefill_tokens;
  work_.reply_tokens += stats.decode_tokens;
  work_.reply_seconds += stats.decode_s;
  for (std::size_t i = 0; i < prompts.size(); ++i)
    take(i, results[i].rows[0], watch_json(prompts[i], results[i]));
}

}  // namespace hrt
