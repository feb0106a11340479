#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "guard_model.h"
#include "hrt/model/engine.h"

namespace hrt {

// Prompts with their replies: what a guard says at the prompt's t_inst and at every token of the reply, which
// the prompt brings or the model writes. One pass computes both, so that watching costs the scores alone.
class ReplyWatch {
 public:
  // `decoder` and `model` must outlive this object.
  ReplyWatch(const GuardModel& model, const Decoder& decoder, const Guard& guard,
             std::int64_t max_new_tokens);

  // Shows each prompt in turn: its rows at t_inst, [rows, hidden], and `watch`, the fields of its answer that
  // are about the reply.
  using Take = std::function<void(std::size_t prompt, const at::Tensor& rows, const Json& watch)>;
  void compute(std::span<const GuardPrompt> prompts, const Take& take);

  struct Work {
    std::int64_t prompt_tokens = 0;  // computed, given replies among them
    std::int64_t reply_tokens = 0;   // written
    double reply_seconds = 0;
  };
  const Work& work() const { return work_; }

 private:
  Job job_of(const GuardPrompt& prompt) const;
  Json watch_json(const GuardPrompt& prompt, const JobResult& result) const;

  const GuardModel& model_;
  const Decoder& decoder_;
  GuardScorer scorer_;
  EngineOptions options_;
  std::int64_t max_new_tokens_;
  Work work_;
};

}  // namespace hrt
