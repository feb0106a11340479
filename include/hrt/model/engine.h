#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hrt/model/decoder.h"
#include "hrt/model/hooks.h"

namespace hrt {

// One prompt's work: prefill, capture rows of the residual stream, and, when asked, a greedy reply.
struct Job {
  std::vector<std::int64_t> tokens;   // at least one
  std::vector<std::int64_t> capture;  // token indices whose rows are wanted, ascending, distinct
  std::int64_t max_new_tokens = 0;    // 0: no reply
};

enum class StopReason { kNone, kEos, kLength };

struct JobResult {
  at::Tensor rows;    // [capture.size(), EngineOptions::rows.size(), hidden], run dtype, CPU; undefined without
  at::Tensor logits;  // [vocabulary] float32, CPU, at the last prompt token; undefined unless asked for
  std::vector<std::int64_t> reply;  // new tokens, without the stop token
  StopReason stop = StopReason::kNone;
  double first_margin = 0;  // best minus second-best logit at the first new token
};

struct EngineOptions {
  std::vector<std::int64_t> rows;         // which rows 0..L are captured
  bool logits = false;
  std::int64_t batch_size = 0;            // prompts in a batch; 0: chosen from sizes (never from free memory)
  std::vector<std::int64_t> stop_tokens;
  bool share_prefix = true;
};

// Called as work proceeds, from the calling thread.
struct EngineEvents {
  std::function<void(std::size_t job, const JobResult&)> finished;  // rows, logits and reply complete
  std::function<void(std::int64_t tokens)> tokens;                  // tokens computed since the last call
};

// Runs one group of jobs: prompts are packed without padding, their common prefix is computed once (when no
// captured token lies in it), replies are decoded in one queue in which finished sequences make room for waiting
// ones, drained at the end. Results are in the order of `jobs`, and do not depend on batch size or order beyond
// rounding. `hooks` run at every block input, attention and MLP output of every token, TokenMap::sequence being
// the job's index.
std::vector<JobResult> run_jobs(const Decoder& decoder, std::span<const Job> jobs, const EngineOptions& options,
                                const EngineEvents& events = {}, std::span<const Hook> hooks = {});

}  // namespace hrt
